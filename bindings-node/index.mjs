import lattice from './index.js';

export const {
  Conditions,
  LatticeError,
  Manifest,
  PolicySet,
  Workspace,
  formatManifest,
  formatManifestSync,
  parseManifest,
  parseManifestSync,
  plan,
  planSync,
  schema,
  validate,
  validateSync,
} = lattice;
