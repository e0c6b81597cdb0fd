// A separate module, imported dynamically instead of the package: in a split bundle a dynamically imported CommonJS package has
// no named exports. https://github.com/evanw/esbuild/issues/3245
export { generateAuthToken } from 'aws-msk-iam-sasl-signer-js';
