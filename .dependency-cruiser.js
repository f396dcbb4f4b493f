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
      from: { pathNot: '^packages/manager/src' },
      to: { circular: true },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.base.json' },
    includeOnly: '^packages/[^/]+/src/',
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['@evander/source', 'import'] },
    skipAnalysisNotInRules: true,
  },
};
