export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }],
  },
  testEnvironmentOptions: { customExportConditions: ['@evander/source', 'node', 'node-addons'] },
  globalSetup: '<rootDir>/test/start-postgres.ts',
  globalTeardown: '<rootDir>/test/stop-postgres.ts',
  reporters: ['default', '<rootDir>/test/octt-reporter.js'],
  testTimeout: 30_000,
  // ES modules of a test file stay in memory when it ends: a single process for all files would come to 4 GB, where Node.js ends it.
  workerIdleMemoryLimit: '1GB',
};
