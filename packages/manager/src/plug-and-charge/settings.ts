import { SettingsError } from '@evander/process';
import type { Settings } from '@evander/process';
import type { ContractPoolOptions, PncOptions } from './options.ts';

/** The settings of Plug & Charge. */
export const PNC_SETTINGS = [
  'v2gCaFile',
  'contractPoolUrl',
  'contractPoolToken',
  'contractPoolTokenUrl',
  'contractPoolClientId',
  'contractPoolClientSecret',
  'contractPoolAudience',
  'has2beFailure',
] as const;

type PncSettings = Settings<(typeof PNC_SETTINGS)[number]>;

/** Options of Plug & Charge from the settings. Throws SettingsError when settings are inconsistent. */
export function pncOptions(settings: PncSettings): PncOptions {
  const { v2gCaFile, has2beFailure } = settings;
  const contractPool = poolOptions(settings);
  return {
    has2beFailure,
    ...(v2gCaFile !== undefined && { v2gCaFile }),
    ...(contractPool && { contractPool }),
  };
}

function poolOptions(settings: PncSettings): ContractPoolOptions | undefined {
  const { contractPoolUrl: url, contractPoolToken: token, contractPoolTokenUrl: tokenUrl } = settings;
  const { contractPoolClientId: clientId, contractPoolClientSecret: clientSecret } = settings;
  if (url === undefined) return undefined;
  if (tokenUrl === undefined) return { url, ...(token !== undefined && { token }) };
  if (clientId === undefined || clientSecret === undefined)
    throw new SettingsError(
      'EVANDER_CONTRACT_POOL_TOKEN_URL is set: EVANDER_CONTRACT_POOL_CLIENT_ID and EVANDER_CONTRACT_POOL_CLIENT_SECRET must be set too',
    );
  const audience = settings.contractPoolAudience;
  return {
    url,
    credentials: { tokenUrl, clientId, clientSecret, ...(audience !== undefined && { audience }) },
  };
}
