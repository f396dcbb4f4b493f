import { main } from '@evander/process';
import { managerProcess } from './process.ts';

await main(managerProcess);
