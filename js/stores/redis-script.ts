/** The one write of {@link redisStore}: compare, set and announce, in one step on the server. */

/**
 * `KEYS[1]`: the entry, a version of 32 letters, a space, and the value. `ARGV`: the version that must be there or nothing, the new
 * version, the new entry or nothing for a delete, its life in milliseconds or nothing, the channel to announce it on.
 *
 * Answers 1 if this version is there now. A client that sends a command again because the connection broke is told so too: it did
 * write, only not this time. Who may not publish may write all the same.
 */
export const WRITE = `local found = redis.call('GET', KEYS[1])
local version = found and string.sub(found, 1, 32) or ''
if version == ARGV[2] then return 1 end
if version ~= ARGV[1] then return 0 end
if ARGV[3] == '' then redis.call('DEL', KEYS[1])
elseif ARGV[4] == '' then redis.call('SET', KEYS[1], ARGV[3])
else redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4]) end
redis.pcall('PUBLISH', ARGV[5], '')
return 1`;

/** By which the server knows the script, once it has seen it: its SHA-1. */
export const WRITE_NAME = "1e4ea95db1d01939c498f2ec1e6f3ea0f4b1449d";
