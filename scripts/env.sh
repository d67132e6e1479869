# Sourced by every script: puts a Node that can run this project (24 or newer) first on PATH.
project_root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export project_root
for node_package in "$project_root"/scripts/node24/node_modules/node-linux-*; do
  if [ -x "$node_package/bin/node" ]; then
    export PATH="$node_package/bin:$PATH"
  fi
done
export PATH="$project_root/node_modules/.bin:$PATH"
