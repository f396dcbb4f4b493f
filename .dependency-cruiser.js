const MANAGER = '^packages/manager/src/';

/**
 * The rooms of the manager, from the ground up. A file imports from its own room and from those before it; `.routes.ts` files stand
 * above all rooms, `.rules.ts` files where it says RULES. docs/architecture.md shows them.
 */
const FLOORS = [
  'outbound/',
  'recurring\\.ts$',
  'observability/',
  'database/',
  'http/',
  'frames/',
  'api-keys/',
  'stations/',
  'configuration/',
  'commands/',
  'jobs/',
  'authorization/',
  'certificates/',
  'local-lists/',
  'transactions/',
  'smart-charging/',
  'reservations/',
  'RULES',
  'desired-state/',
  'files/',
  'events/',
  'webhooks/',
  'campaigns/',
  'plug-and-charge/',
  'presence/',
  'retention/',
  'station-writer\\.ts$',
  'messages/',
  'mqtt/',
  'domain-problems\\.ts$',
  'api-context\\.ts$',
  'ROUTES',
  'openapi/',
  'server\\.ts$',
  'manager-options\\.ts$',
  'station-traffic\\.ts$',
  'settings\\.ts$',
  'manager\\.ts$',
  'process\\.ts$',
  'index\\.ts$',
  'main\\.ts$',
];
const RULES = `${MANAGER}.+\\.rules\\.ts$`;
const ROUTES = `${MANAGER}.+\\.routes\\.ts$`;
const pathOf = (floor) => ({ RULES, ROUTES })[floor] ?? MANAGER + floor;
/** What only computes, and stores may use. */
const PURE = [
  'authorization/emaid',
  'configuration/configuration-keys',
  'stations/station-clock',
  'transactions/register-readings',
].map((path) => `${MANAGER}${path}\\.ts$`);

const rooms = [
  ...FLOORS.slice(0, -1).map((floor, i) => ({
    name: `manager-room-${floor.replace(/\W|ts\$$/g, '').toLowerCase()}`,
    comment: 'A room imports what stands below it (FLOORS): move the file, or hand in what lies above.',
    severity: 'error',
    from: { path: pathOf(floor), ...(/^R[A-Z]+$/.test(floor) ? {} : { pathNot: [RULES, ROUTES] }) },
    to: { path: FLOORS.slice(i + 1).map(pathOf) },
  })),
  {
    name: 'manager-stores',
    comment: 'A store is SQL: it imports stores, database/, types, and what only computes (PURE).',
    severity: 'error',
    from: { path: `${MANAGER}.+\\.store\\.ts$` },
    to: {
      path: MANAGER,
      pathNot: [`${MANAGER}.+\\.store\\.ts$`, `${MANAGER}database/`, ...PURE],
      dependencyTypesNot: ['type-only'],
    },
  },
  {
    name: 'manager-routes',
    comment:
      'Routes are put together by server.ts alone: what two of them share is a file of schemas (*.schemas.ts), or domain code.',
    severity: 'error',
    from: { path: '^packages/', pathNot: `${MANAGER}server\\.ts$` },
    to: { path: ROUTES },
  },
  {
    name: 'manager-messages',
    comment: 'The table of messages is handed to the router: nothing else knows it.',
    severity: 'error',
    from: {
      path: '^packages/',
      pathNot: [`${MANAGER}messages/`, `${MANAGER}mqtt/`, `${MANAGER}station-traffic\\.ts$`],
    },
    to: { path: `${MANAGER}messages/` },
  },
  {
    name: 'manager-commands-know-no-rules',
    comment: 'The rules of a command live in the room that they protect; its message file hands them in.',
    severity: 'error',
    from: { path: `${MANAGER}commands/` },
    to: { path: RULES },
  },
];

/**
 * Which file may import which. `pnpm check:imports` checks it, imports of types included. A `comment` says what to do when its
 * rule is broken; `pnpm check:imports --output-type err-long` prints it.
 *
 * @type {import('dependency-cruiser').IConfiguration}
 */
export default {
  forbidden: [
    {
      name: 'no-circular',
      comment:
        'Files that import each other, directly or through others, cannot be read or tested one by one: move what both need to ' +
        'a file of its own, or declare an interface of what is needed and let the caller pass it in.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-circular-rooms',
      comment: 'The same for folders: move the file to the folder that it belongs to.',
      severity: 'error',
      scope: 'folder',
      // The rooms of the manager stand on floors, see above: their routes and rules stand higher than the rest.
      from: { pathNot: '^packages/manager/src' },
      to: { circular: true },
    },
    ...rooms,
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    includeOnly: '^packages/[^/]+/src/',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['@evander/source', 'import'] },
    skipAnalysisNotInRules: true,
  },
};
