# Sourced by every section: it then stands in the repository's root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Reports and logs of this run. A report of Jest in *.json is counted by .ci/run.
out=$PWD/.ci/out
mkdir -p "$out"
# Tools that this run obtained, for the next one.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/evander-ci
PATH=$PATH:/usr/sbin

pnpm() { npx --yes "pnpm@$(node -p 'require("./package.json").packageManager.split("@")[1]')" "$@"; }

has() { command -v "$1" >/dev/null; }

# skip WHY: this section cannot run here; .ci/run says whether that is a failure.
skip() {
  echo "SKIPPED: $1"
  exit 77
}
