#!/bin/sh
# Makes the secret files of compose.yaml, once: random passwords, and the addresses that hold them.
# The folder is closed to others; the files are readable, since containers read them as users of their own.
set -eu
folder="${1:-secrets}"
mkdir -p "$folder"
chmod 700 "$folder"
for database in clickhouse postgres; do
  if [ -e "$folder/${database}_password" ]; then
    echo "$folder/${database}_password is there already: left as it is"
    continue
  fi
  password="$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"
  printf '%s' "$password" > "$folder/${database}_password"
  case "$database" in
    clickhouse) printf 'clickhouse://snowgauge:%s@clickhouse:8123/default' "$password" > "$folder/clickhouse_url" ;;
    postgres) printf 'postgresql://snowgauge:%s@postgres:5432/snowgauge' "$password" > "$folder/postgres_url" ;;
  esac
  chmod 444 "$folder/${database}_password" "$folder/${database}_url"
  echo "made $folder/${database}_password and $folder/${database}_url"
done
# what machines share through the store is encrypted with it: keep a copy
if [ ! -e "$folder/state_key" ]; then
  od -An -N32 -tx1 /dev/urandom | tr -d ' \n' > "$folder/state_key"
  chmod 444 "$folder/state_key"
  echo "made $folder/state_key"
fi
if [ ! -e "$folder/grafana_password" ]; then
  od -An -N24 -tx1 /dev/urandom | tr -d ' \n' > "$folder/grafana_password"
  chmod 444 "$folder/grafana_password"
  echo "made $folder/grafana_password"
fi
