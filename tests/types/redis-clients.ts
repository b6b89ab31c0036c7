// The clients' own types are taken as they are. Compiled by `npm test`, never run.

import { Redis as Upstash } from "@upstash/redis";
import { Cluster, Redis } from "ioredis";
import { Redis as Valkey } from "iovalkey";
import { createClient, createClientPool, createCluster } from "redis";
import { redisStore, type RedisStore } from "refresh-coordinator/stores/redis";

export const stores: RedisStore[] = [
  redisStore(createClient()),
  redisStore(createClientPool()),
  redisStore(createCluster({ rootNodes: [] })),
  redisStore(new Redis()),
  redisStore(new Cluster([])),
  redisStore(new Valkey()),
  redisStore(new Upstash({ url: "https://front.example", token: "" })),
];
