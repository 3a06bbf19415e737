#!/usr/bin/env bash
# Near-duplicates by four jobs that follow each other; prints the number of the last one. Arguments of sbatch go into SBATCH_ARGS.
#   TASKS=16 dedup.sh /shared/clean --out /shared/unique --clusters /shared/clusters.jsonl
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tasks=${TASKS:-4}
before=
for stage in signatures buckets clusters filter; do
  last=$((tasks - 1))
  if [ "$stage" = clusters ]; then last=0; fi
  # shellcheck disable=SC2086  # SBATCH_ARGS is several words
  before=$(sbatch --parsable --job-name="$stage" --array="0-$last" ${before:+--dependency=afterok:$before} --kill-on-invalid-dep=yes \
    ${SBATCH_ARGS:-} "$here/array.sbatch" dedup "$@" --stage "$stage" --shards "auto/$tasks")
done
echo "$before"
