import { createHash } from 'node:crypto'
import type { Call } from '@l2/core'
import type { Argument, Sender } from './redis-route.js'

/**
 * The bookkeeping of a bucket, and what holds between any two scripts:
 *
 * - The fence is a string, the epoch; the index a sorted set of members tag FF key, all of score 0 and
 *   so in the order of their bytes. They are created together and removed together, here only, so a
 *   bucket where one is missing has lost it (eviction, DEL by hand).
 * - A record with tags is readable as long as it begins with the epoch that the fence holds. An epoch
 *   never comes back.
 * - A readable record has a member in the index for each of its tags, or the index is gone: the next
 *   script to notice starts a new epoch, and what was in the old one is a miss for good.
 * - The index may have members that are no longer true. Each is held against the record before
 *   anything is removed because of it.
 * - Fence and index live as long as the longest of their records, and never less for a shorter one.
 *
 * All keys of a script are of one bucket, and declared.
 */
export interface Script {
  readonly text: string
  /** What EVALSHA knows it by. */
  readonly sha1: string
}

/** What our scripts say of a layout that they don't know. */
export const LAYOUT_ERROR = 'L2LAYOUT'

/**
 * `tagsOf(record, start)`: the tags of a record that begins with `start`, joined by FF; nil where it
 * has none. Reads no more of it than that, as a rule. Each `1` that it is called with, and 49, is the
 * version of the layout, with which every epoch begins.
 */
const TAGS_OF = `
local call = redis.call
local function tagsOf(record, start)
  local size = 255
  while true do
    local head = call('GETRANGE', record, 0, size - 1)
    if string.sub(head, 1, #start) ~= start then return nil end
    local stop = string.find(head, '\\254', 17, true)
    if stop then return string.sub(head, 17, stop - 1) end
    if #head < size then return nil end
    size = size * 16
  end
end`

const HAS = `
local function has(tags, tag)
  return tags and string.find('\\255' .. tags .. '\\255', '\\255' .. tag .. '\\255', 1, true)
end`

/** `unlist(index, tags, key)`: removes the members of one key, and tells how many there were. */
const UNLIST = `
local function unlist(index, tags, key)
  local gone, some = 0, {}
  for tag in string.gmatch(tags .. '\\255', '([^\\255]*)\\255') do
    some[#some + 1] = tag .. '\\255' .. key
    if #some == 1000 then
      gone = gone + call('ZREM', index, unpack(some))
      some = {}
    end
  end
  if #some > 0 then gone = gone + call('ZREM', index, unpack(some)) end
  return gone
end`

/**
 * What `SET` and `COMMIT` share: finds the epoch, or that there is none (any more), and the tags that
 * the index knows of the entry; stores the record, as the first to write, so that a Redis without room
 * refuses it before anything has changed; brings the index up to date, and has it live long enough.
 *
 * @param store Lua that stores the record with the epoch `current`.
 */
const indexed = (store: string): string => `${TAGS_OF}
local record, fence, index = KEYS[1], KEYS[2], KEYS[3]
local ttl = ARGV[1]
local tags = table.concat(ARGV, '\\255', 5)
local epoch, left, before = call('GET', fence), call('PTTL', index), nil
if epoch and string.byte(epoch) ~= 49 then
  return redis.error_reply('${LAYOUT_ERROR} another version')
end
local known = epoch and left ~= -2
if known then before = tagsOf(record, epoch) end
local current = known and epoch or ARGV[2]
${store}
if not known then
  if left ~= -2 then call('UNLINK', index) end
  call('SET', fence, current)
  left = -2
end

if before ~= tags then
  local key, had, new = string.sub(record, tonumber(ARGV[3])), {}, {}
  if before then
    for tag in string.gmatch(before .. '\\255', '([^\\255]*)\\255') do had[tag] = true end
  end
  for i = 5, #ARGV do
    local tag = ARGV[i]
    if had[tag] then
      had[tag] = nil
    else
      new[#new + 1] = 0
      new[#new + 1] = tag .. '\\255' .. key
      if #new == 1000 then
        call('ZADD', index, unpack(new))
        new = {}
      end
    end
  end
  if #new > 0 then call('ZADD', index, unpack(new)) end
  for tag in pairs(had) do call('ZREM', index, tag .. '\\255' .. key) end
end

-- Beyond 2^50 ms, sums of numbers are not exact: such an index has no end.
local need = tonumber(ttl)
if need == 0 or need > 1125899906842624 then
  if left >= 0 then
    call('PERSIST', index)
    call('PERSIST', fence)
  end
elseif left == -2 or (left >= 0 and left <= need) then
  -- More than needed, so that not each set has to do it again.
  local longer = string.format('%.0f', need + math.min(need / 4, 60000) + 1000)
  call('PEXPIRE', index, longer)
  call('PEXPIRE', fence, longer)
end
return 1`

/** KEYS record, fence, index. ARGV ttl (0: none), spare epoch, where the key begins, value, tag, … */
export const SET = script(
  indexed(`
local whole = current .. tags .. '\\254' .. ARGV[4]
if ttl == '0' then call('SET', record, whole) else call('SET', record, whole, 'PX', ttl) end`),
)

/**
 * As {@link SET} for a large value, which Lua would copy several times over. The record has been
 * written as a draft under another name and with the spare epoch; here it gets the epoch that is in
 * force, and its name. Answers 0 where the draft has been evicted.
 *
 * KEYS record, fence, index, draft. ARGV as for SET, with an empty value.
 */
export const COMMIT = script(
  indexed(`
local draft = KEYS[4]
if call('EXISTS', draft) == 0 then return 0 end
call('SETRANGE', draft, 0, current)
call('RENAME', draft, record)
if ttl == '0' then call('PERSIST', record) else call('PEXPIRE', record, ttl) end`),
)

/**
 * Whether fence and index are whole; where one is missing, the other goes too, and all that was
 * readable by it: nobody could find it by its tags any more.
 *
 * `left` counts the members. The script must not touch the index once there are none: it is gone then,
 * and where the slot is being moved to another node, a key that is not here is taken for one that is
 * there, which stops the script half-way.
 */
const WHOLE = `
local fence, index = KEYS[1], KEYS[2]
local epoch, left = call('GET', fence), call('ZCARD', index)
if epoch and string.byte(epoch) ~= 49 then
  return redis.error_reply('${LAYOUT_ERROR} another version')
end
if (epoch and left == 0) or (left > 0 and not epoch) then
  call('UNLINK', fence, index)
  epoch = nil
end`

/**
 * One step of a `deleteByTag` in one bucket: removes those of the records that still carry the tag,
 * and then looks for the next. Answers how many it removed, the last key there is (once more than was
 * passed in, at the first step), and the next keys. What is set meanwhile under a key behind the last
 * is not looked for: the steps come to an end.
 *
 * KEYS fence, index, record, … ARGV tag, where the keys begin, how many to look for, \`(\` and the key
 * after which to look or \`[\` for the first step, the last key.
 */
export const REMOVE = script(`${TAGS_OF}${HAS}${UNLIST}${WHOLE}
-- Removes nothing, and fails where nothing could be removed: on a replica, whose index is not to be
-- trusted, an invalidation must not pass for done.
call('ZREM', index, '')
if not epoch then return {0} end
local tag, start, limit = ARGV[1], tonumber(ARGV[2]), ARGV[3]
local removed = 0
for i = 3, #KEYS do
  local record, key = KEYS[i], string.sub(KEYS[i], start)
  local tags = tagsOf(record, '1')
  if has(tags, tag) then
    call('UNLINK', record)
    removed = removed + 1
  else
    tags = tag
  end
  if left > 0 then left = left - unlist(index, tags, key) end
end
if left == 0 then
  call('UNLINK', fence)
  return {removed}
end

local from, last = ARGV[4], ARGV[5]
local low = string.sub(from, 1, 1) .. tag .. '\\255' .. string.sub(from, 2)
local high = '[' .. tag .. '\\255' .. last
if from == '[' then
  local most = call('ZREVRANGEBYLEX', index, '(' .. tag .. '\\255\\255', low, 'LIMIT', 0, 1)
  if #most == 0 then return {removed} end
  high = '[' .. most[1]
  last = string.sub(most[1], #tag + 2)
end
local found, bytes = {removed, last}, 0
for _, member in ipairs(call('ZRANGEBYLEX', index, low, high, 'LIMIT', 0, limit)) do
  found[#found + 1] = string.sub(member, #tag + 2)
  -- Keys may be long: no step is to answer megabytes.
  bytes = bytes + #member
  if bytes > 65536 then break end
end
return found`)

/**
 * Removes those members from an index that are not true: whose record is gone, has another epoch or
 * does not carry the tag. Answers how many.
 *
 * KEYS fence, index, record, … ARGV where the keys begin, the tag that belongs to each record.
 */
export const PRUNE = script(`${TAGS_OF}${HAS}${WHOLE}
if not epoch then return 0 end
local start, gone = tonumber(ARGV[1]), 0
for i = 3, #KEYS do
  local tag = ARGV[i - 1]
  if gone < left and not has(tagsOf(KEYS[i], epoch), tag) then
    gone = gone + call('ZREM', index, tag .. '\\255' .. string.sub(KEYS[i], start))
  end
end
if gone == left then call('UNLINK', fence) end
return gone`)

/**
 * Removes records, and answers how each began that has tags: what the index has of it can go then.
 * What is no string is no record of ours, and goes too.
 *
 * KEYS records. ARGV the last byte to answer.
 */
export const UNLINK = script(`
local heads = {}
for i, record in ipairs(KEYS) do
  local tagged = redis.pcall('GETRANGE', record, 0, 0) == '1'
  heads[i] = tagged and redis.call('GETRANGE', record, 0, ARGV[1]) or ''
end
redis.call('UNLINK', unpack(KEYS))
return heads`)

/** Proves that writes are taken, as far as removing goes: also where there is no room. KEYS probe. */
export const PROBE = script(`return redis.call('UNLINK', KEYS[1])`)

/** Proves that writes are taken, and leaves nothing. KEYS probe. */
export const PING = script(`
redis.call('SET', KEYS[1], '', 'PX', 1)
return redis.call('UNLINK', KEYS[1])`)

function script(lua: string): Script {
  const text = lua
    .replace(/^\s*--.*$/gm, '')
    .replace(/\n\s*/g, '\n')
    .trim()
  return { text, sha1: createHash('sha1').update(text).digest('hex') }
}

/** Runs a script, which Redis may have forgotten or never known. */
export function runScript(
  sender: Sender,
  call: Call,
  { text, sha1 }: Script,
  keys: readonly string[],
  args: readonly Argument[],
): Promise<unknown> {
  const count = String(keys.length)
  return sender.send(call, 'evalsha', [sha1, count, ...keys, ...args]).catch(error => {
    if (call.abandoned || !isNoScript(error)) throw error
    return sender.send(call, 'eval', [text, count, ...keys, ...args])
  })
}

const isNoScript = (error: unknown): boolean =>
  error instanceof Error && error.message.startsWith('NOSCRIPT')
