/**
 * `npm run api`: writes down what the package's entry points declare, `api/<entry>.api.md`, so that a change of it is seen in
 * review. Without `--write` it only says whether the reports are still true (exit 1).
 */
import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Extractor, ExtractorConfig, ExtractorLogLevel, type ExtractorMessage } from '@microsoft/api-extractor';

const REPOSITORY = resolve(import.meta.dirname, '..');

/** The reports' names and where the package declares what they are about. */
const ENTRY_POINTS = {
  lockstep: 'shared/lockstep-consumer.d.ts',
  'lockstep-cdk': 'public/cdk.d.ts',
  'lockstep-testing': 'public/testing.d.ts',
  'lockstep-avro': 'shared/schemas/avro.d.ts',
  'lockstep-protobuf': 'shared/schemas/protobuf.d.ts',
  'lockstep-registry': 'shared/schemas/framed.d.ts',
} as const;

type ReportName = keyof typeof ENTRY_POINTS;
const NAMES: readonly ReportName[] = [
  'lockstep',
  'lockstep-cdk',
  'lockstep-testing',
  'lockstep-avro',
  'lockstep-protobuf',
  'lockstep-registry',
];

/** What is wrong with one report; nothing where it is true. */
export interface ApiFinding {
  readonly report: string;
  readonly finding: string;
}

/**
 * Compares the declarations of a build with the checked reports.
 *
 * @param build - folder that `tsc -p tsconfig.build.json` wrote, inside the repository
 * @param options.write - replaces reports that are no longer true. @default false
 * @param options.reports - which of them. @default all
 */
export function apiFindings(
  build: string,
  { write = false, reports = NAMES }: { readonly write?: boolean; readonly reports?: readonly ReportName[] } = {},
): ApiFinding[] {
  return reports.flatMap((name) => {
    const findings: ApiFinding[] = [];
    const reportTempFolder = join(build, '.api');
    mkdirSync(reportTempFolder, { recursive: true });
    const config = ExtractorConfig.prepare({
      packageJsonFullPath: join(REPOSITORY, 'package.json'),
      configObjectFullPath: undefined,
      configObject: {
        projectFolder: REPOSITORY,
        mainEntryPointFilePath: join(build, ENTRY_POINTS[name]),
        newlineKind: 'lf',
        compiler: { overrideTsconfig: COMPILER },
        apiReport: {
          enabled: true,
          reportFileName: `${name}.api.md`,
          reportFolder: join(REPOSITORY, 'api'),
          reportTempFolder,
          includeForgottenExports: true,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
          // Our docstrings are not written for it; what it finds in declarations is an error.
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          extractorMessageReporting: {
            default: { logLevel: ExtractorLogLevel.Error },
            'ae-missing-release-tag': { logLevel: ExtractorLogLevel.None },
            'ae-undocumented': { logLevel: ExtractorLogLevel.None },
            'ae-unresolved-link': { logLevel: ExtractorLogLevel.None },
            'ae-forgotten-export': { logLevel: ExtractorLogLevel.None },
          },
        },
      },
    });
    const { apiReportChanged } = Extractor.invoke(config, {
      localBuild: write,
      messageCallback: (message: ExtractorMessage) => {
        message.handled = true;
        if (message.logLevel === ExtractorLogLevel.Error) findings.push({ report: name, finding: message.text });
      },
    });
    if (apiReportChanged && !write) findings.push({ report: name, finding: 'the declarations have changed' });
    return findings;
  });
}

const COMPILER = {
  compilerOptions: {
    target: 'es2024',
    lib: ['es2024', 'esnext.disposable'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    types: ['node'],
    strict: true,
    skipLibCheck: true,
    allowImportingTsExtensions: true,
    noEmit: true,
  },
};

if (import.meta.main) {
  const findings = apiFindings(join(REPOSITORY, 'dist'), { write: process.argv.includes('--write') });
  for (const { report, finding } of findings) console.error(`api/${report}.api.md: ${finding}`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}
