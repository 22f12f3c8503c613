import lattice from './index.js';

export const {
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
  showPlan,
  showPlanSync,
  validate,
  validateSync,
} = lattice;
