// The same types for CommonJS.
import lattice = require('@agentlattice/cli');

export function status(text: lattice.Text, action: lattice.Action): lattice.Decision['status'] {
  return new lattice.PolicySet(text).decide(action).status;
}
