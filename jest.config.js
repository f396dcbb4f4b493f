import { availableParallelism } from 'node:os';

// Traces travel in MQTT 5's correlation data, which the embedded broker does not have: that test runs where an external broker is named.
const NEEDS_MQTT_5 = ['/system/tracing.test.ts'];

export default {
  testEnvironment: 'node',
  testMatch: ['<rootDir>/packages/*/test/**/*.test.ts', '<rootDir>/test/**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', ...(process.env.EVANDER_TEST_MQTT_URL ? [] : NEEDS_MQTT_5)],
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2023', parser: { syntax: 'typescript' } } }],
  },
  testEnvironmentOptions: { customExportConditions: ['@evander/source', 'node', 'node-addons'] },
  globalSetup: '<rootDir>/test/global-setup.ts',
  globalTeardown: '<rootDir>/test/global-teardown.ts',
  reporters: ['default', '<rootDir>/test/octt-reporter.js'],
  testTimeout: 30_000,
  // Tests wait half of the time, for timers or for PostgreSQL: three files at once keep two processors busy.
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  // ES modules of a test file stay in memory when it ends: a single process for all files would come to 4 GB, where Node.js ends it.
  workerIdleMemoryLimit: '1GB',
};
