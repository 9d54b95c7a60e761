/**
 * Cases that none of the mutants fails, and why they are there. (The costly ones are run only with
 * the mutants that they are named for: see catch.ts.)
 */
export const others: Readonly<Record<string, string>> = {
  'values.64-mib':
    'as `values.16-mib`, for backends with a higher limit; costly, so run with no mutant',
  'capabilities.stay':
    'the cache reads what an adapter declares; the guard declares it right by itself',
  'capabilities.no-tags': 'run only where there are no tags, which the mutants all have',
  'abort.during': 'a call that was aborted may succeed: only one that fails otherwise is wrong',
  'abort.bulk-can-be-repeated': 'a bulk call given up in the middle; costly, so run with no mutant',
  'close.never-used': 'closing before the first call: for adapters that connect at once',
  'bulk.others-stay':
    'as `tags.exactly-those`, at a size at which plans change; costly, so run with no mutant',
  'bulk.calls-go-on': 'for backends whose bulk work locks; costly, so run with no mutant',
  'residue.live': 'bookkeeping of the living is bounded too: for indexes of several levels',
  'cut.close':
    'closing what is not connected: for drivers that wait for a connection to say goodbye',
  'stall.abort-fails-no-others': 'for adapters whose calls share a connection that an abort cuts',
}
