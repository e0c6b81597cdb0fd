/** DNS suffixes of the partitions that are not the commercial one, by how their regions begin: plain, and with IPv6. */
const SUFFIXES: readonly (readonly [string, string, string])[] = [
  ['cn-', 'amazonaws.com.cn', 'api.amazonwebservices.com.cn'],
  ['eusc-', 'amazonaws.eu', 'api.amazonwebservices.eu'],
  ['us-iso-', 'c2s.ic.gov', 'api.aws.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov', 'api.aws.scloud'],
  ['us-isof-', 'csp.hci.ic.gov', 'api.aws.hci.ic.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk', 'api.cloud-aws.adc-e.uk'],
];

/**
 * DynamoDB's endpoint as the AWS SDKs find it: what the environment names, else the region's own.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-endpoints.html
 */
export function dynamoDbEndpoint(region: string, variables: Readonly<Record<string, string | undefined>>): string {
  const named = variables['AWS_ENDPOINT_URL_DYNAMODB'] || variables['AWS_ENDPOINT_URL'];
  if (named && variables['AWS_IGNORE_CONFIGURED_ENDPOINT_URLS'] !== 'true') return named;
  const isDualStack = variables['AWS_USE_DUALSTACK_ENDPOINT'] === 'true';
  const isFips = variables['AWS_USE_FIPS_ENDPOINT'] === 'true';
  const [, plain, withIpv6] = SUFFIXES.find(([start]) => region.startsWith(start)) ?? ['', 'amazonaws.com', 'api.aws'];
  // In GovCloud the plain endpoint is the validated one.
  const service = isFips && (isDualStack || !region.startsWith('us-gov-')) ? 'dynamodb-fips' : 'dynamodb';
  return `https://${service}.${region}.${isDualStack ? withIpv6 : plain}`;
}
