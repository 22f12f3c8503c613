// Uses every export as a program would; a test looks for each name.
import {
  Conditions,
  LatticeError,
  Manifest,
  PolicySet,
  Workspace,
  check,
  checkSync,
  formatManifest,
  formatManifestSync,
  parseManifest,
  parseManifestSync,
  plan,
  planSync,
  report,
  reportSync,
  schema,
  validate,
  showPlan,
  showPlanSync,
  validateSync,
  type Action,
  type AuditPage,
  type CheckedProof,
  type Code,
  type Decision,
  type Evaluation,
  type History,
  type JsonValue,
  type ManifestDocument,
  type Pin,
  type Plan,
  type Text,
  type Trust,
  type Validation,
  type Verification,
} from '@agentlattice/cli';

export async function everything(text: Text): Promise<JsonValue> {
  const manifest: Manifest = await parseManifest(text);
  const document: ManifestDocument = parseManifestSync({ path: 'policies.yaml' }).toJSON();
  const timeout: number | undefined = document.policies[0]?.approval_timeout_hours;

  const validation: Validation = await validate(text);
  const places = validateSync(new Uint8Array()).diagnostics.map(({ line, column }) => [line, column]);
  const formatted: string = (await formatManifest(text)) + formatManifestSync({ text: 'x', name: 'x.yaml' });

  const change: Plan = await plan(text, manifest, { replace: true });
  const names: string[] = planSync(manifest, text).changes.map((each) => each.name);

  const action: Action = { action_type: 'deploy.production', metadata: { size: 2n ** 60n, branch: 'main' } };
  const evaluation: Evaluation = Conditions.compile('…').evaluate(action);
  const policies: PolicySet = await PolicySet.compile(manifest);
  const decision: Decision = policies.decide('{"action_type": "t"}');
  const decisions: Decision[] = new PolicySet(text).decideMany([action, Buffer.from('{}')]);

  const workspace: Workspace = await Workspace.open({ url: 'sqlite:al.db' });
  const exported: string = await workspace.export();
  const preview: Plan = await workspace.plan(exported);
  const imported: Plan = await workspace.importManifest(manifest, { dryRun: true, replace: false });
  const remote: Decision = await workspace.decide(action);
  const page: AuditPage = await workspace.audit({ cursor: 0, limit: 10 });
  const checkpoint: string = await workspace.checkpoint();
  const verification: Verification = await workspace.verify({ checkpoints: [checkpoint, text], vkeys: ['…'], state: true });
  const pins: Pin[] = verification.pins.filter((pin) => pin.result === 'consistent');
  const proof: string = await workspace.prove(1, { checkpoint: { path: 'staging.checkpoint' } });
  const checked: CheckedProof = (await check(proof)).valid ? checkSync(proof, { checkpoints: [checkpoint] }) : await check(text, {});
  const trusts: Trust[] = [checked.trust, ...pins.map((pin) => pin.trust)];

  const kept: string = await workspace.savePlan(text, { overlays: [text], replace: true, allowDeactivations: 3 });
  const shown: Plan = showPlanSync(kept).applied ? await showPlan({ path: 'plan.json' }) : showPlanSync(kept);
  const applied: Plan = await workspace.apply({ text: kept, name: 'plan.json' });
  const history: History = await workspace.history({ limit: 10 });
  const back: Plan = await workspace.rollback(1, { dryRun: true, deactivationThreshold: 50 });
  const drift: string[] = (await workspace.diff(manifest)).drift?.workspace ?? [];
  const page1: string = (await workspace.export({ at: 1 })) + manifest.render();
  const reports: string = (await report(shown, 'markdown')) + reportSync(back, 'html');

  const counts = [applied.changes.length, history.states.length, timeout ?? null, change.summary.added, preview.notes.length, imported.changes.length, page.next_cursor];
  const texts = [page1, reports, ...trusts, checked.event?.kind ?? null, ...drift, formatted, remote.status, decision.policy_name, verification.root, ...names];
  const values = decisions.flatMap((each) => each.conditions_evaluated.map((rule) => rule.actual));
  return { counts, texts, values, places, valid: validation.valid, result: evaluation.result, schema: schema('plan') };
}

export function explain(error: unknown): string {
  if (!(error instanceof LatticeError)) {
    throw error;
  }
  const code: Code = error.code;
  const { policy, file, line, column, help, related } = error;
  const others: string[] = related.map((other) => other.message);
  return [code, error.message, policy, file, line, column, help, ...others, error.toJSON().error.code].join(' ');
}

// @ts-expect-error: an option that is misspelt
export const misspelt = () => new Workspace().importManifest('…', { dry_run: true });

// @ts-expect-error: not an action
export const noAction = (policies: PolicySet) => policies.decide({ metadata: {} });
