// @ts-check
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * The first of these folders, PATH by default, that holds the program.
 *
 * @param {string} name
 * @param {string[]} [folders]
 */
export function findProgram(name, folders = (process.env['PATH'] ?? '').split(delimiter)) {
  return folders.map(folder => join(folder, name)).find(isExecutable)
}

function isExecutable(/** @type {string} */ file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
