import { writeFiles } from '../../process/gen/write-files.ts';
import { writeChartSchema } from './chart-schema.ts';
import { writeCompose } from './compose.ts';

await writeFiles({
  'docker-compose.yml': writeCompose,
  'deploy/helm/evander/values.schema.json': writeChartSchema,
});
