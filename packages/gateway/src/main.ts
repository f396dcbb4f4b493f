import { main } from '@evander/process';
import { gatewayProcess } from './process.ts';

await main(gatewayProcess);
