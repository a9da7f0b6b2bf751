import { config } from '@n8n/node-cli/eslint';

// All rules of n8n but one: the package has no license until its owner has decided on one.
const license = 'n8n-nodes-base/community-package-json-license-not-default';

export default [...config, { files: ['package.json'], rules: { [license]: 'off' } }];
