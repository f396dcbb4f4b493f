import { writeFiles } from '../../process/gen/write-files.ts';
import { writeOcpp16Doc } from './ocpp16-doc.ts';

await writeFiles({
  'docs/ocpp16.md': writeOcpp16Doc,
});
