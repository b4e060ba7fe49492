#!/bin/sh
# Creates a cluster from the nodes: three masters with a replica each, and a spare replica of one of them. Does nothing if
# the cluster already exists.
#
# NODES    host:port of all seven nodes, separated by spaces
# SECRETS  the folder with redis-ca and redis-admin-password
set -eu

REDISCLI_AUTH=$(cat "$SECRETS/redis-admin-password")
export REDISCLI_AUTH

first=${NODES%% *}
redis() {
  redis-cli --tls --cacert "$SECRETS/redis-ca" --user admin --no-auth-warning "$@"
}

if redis -h "${first%:*}" -p "${first#*:}" cluster info | grep -q '^cluster_slots_assigned:16384'; then
  echo 'The cluster already exists.'
  exit 0
fi
# Redis makes the seventh node another replica. Unquoted, so that each node is an argument.
# shellcheck disable=SC2086
redis --cluster create $NODES --cluster-replicas 1 --cluster-yes
