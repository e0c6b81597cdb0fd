// A module of its own, imported dynamically in place of the package: of CommonJS that is imported so, a split bundle has no names.
// https://github.com/evanw/esbuild/issues/3245
export { generateAuthToken } from 'aws-msk-iam-sasl-signer-js';
