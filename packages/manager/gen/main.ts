import { writeFiles } from '../../process/gen/write-files.ts';
import { writeOcpp16Doc } from './ocpp16-doc.ts';
import { writeOperationsDoc } from './operations-doc.ts';

await writeFiles({
  'docs/ocpp16.md': writeOcpp16Doc,
  'docs/operations.md': writeOperationsDoc,
});
