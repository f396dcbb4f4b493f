import { allMatches, PARTS, readRepositoryFile } from './parts.ts';

const BEGIN =
  '      # Passed through when set; unset, the default of the program applies. Made by `pnpm gen`.\n';
const END = '      # End of what is made.\n';

/**
 * Updates docker-compose.yml: gateway and manager receive all variables that they read, except those that the file itself or the service
 * "secrets" sets. Throws when the markers are missing.
 */
export function writeCompose(text: string): string {
  const firstRun = readRepositoryFile('deploy/first-run');
  return PARTS.reduce((before, { part, settings }) => {
    const given = [...givenIn(serviceIn(before, part)), ...secretsIn(firstRun, part)];
    const variables = Object.values(settings).map(({ variable }) => variable);
    const lines = variables.filter((name) => !given.includes(name)).map((name) => `      - ${name}\n`);
    const begin = before.indexOf(BEGIN, before.indexOf(`\n  ${part}:\n`));
    const end = before.indexOf(END, begin);
    return before.slice(0, begin + BEGIN.length) + lines.join('') + before.slice(end);
  }, text);
}

/** A service's lines without the generated ones. */
function serviceIn(text: string, part: string): string {
  const [service = ''] = new RegExp(`^ {2}${part}:\\n(?: {4}.*\\n|\\n)*`, 'm').exec(text) ?? [];
  const begin = service.indexOf(BEGIN);
  const end = service.indexOf(END);
  if (begin < 0 || end < begin)
    throw new Error(`docker-compose.yml has no marks for the variables of the ${part}`);
  return service.slice(0, begin) + service.slice(end);
}

function givenIn(service: string): string[] {
  return allMatches(service, /^ {6}- (EVANDER_\w+)/gm);
}

function secretsIn(firstRun: string, part: string): string[] {
  const [, file = ''] = new RegExp(`put /secrets/${part}/env .*\\n([^]*?)\\nEND\\n`).exec(firstRun) ?? [];
  return allMatches(file, /^(EVANDER_\w+)=/gm);
}
