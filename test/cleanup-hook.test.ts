import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withoutCrashingHook } from '../scripts/native/cleanup-hook.mjs'

const name = 'include/node/node_object_wrap.h'
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'l2-headers-'))
  mkdirSync(join(folder, 'include/node'), { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

test('headers without the hook are taken as they are', () => {
  writeFileSync(join(folder, name), 'ObjectWrap() {\n    refs_ = 0;\n  }\n')
  expect(withoutCrashingHook(folder, folder)).toBe(folder)
})

test('headers with it are copied without its calls', () => {
  // As in Node 24.19 and later.
  const header = `
    refs_ = 0;
    AddCleanupHook();
    RemoveCleanupHook();
  void RemoveCleanupHook() {
    RemoveEnvironmentCleanupHook(v8::Isolate::GetCurrent(), CleanupHook, this);
  }`
  writeFileSync(join(folder, name), header)

  const copy = withoutCrashingHook(folder, folder)

  expect(copy).not.toBe(folder)
  const copied = readFileSync(join(copy, name), 'utf8')
  expect(copied).not.toMatch(/^ +\w+CleanupHook\(\);/m)
  expect(copied).toContain('void RemoveCleanupHook() {')
  expect(withoutCrashingHook(folder, folder)).toBe(copy)
})
