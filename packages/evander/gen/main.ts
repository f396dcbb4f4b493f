import { writeFiles } from '../../process/gen/write-files.ts';
import { writeChartSchema } from './chart-schema.ts';
import { writeCompose } from './compose.ts';
import { writeOperationsDoc } from './operations-doc.ts';

await writeFiles({
  'docs/operations.md': writeOperationsDoc,
  'docker-compose.yml': writeCompose,
  'deploy/helm/evander/values.schema.json': writeChartSchema,
});
