/** Cases that none of the mutants fails, and why they are there. */
export const others: Readonly<Record<string, string>> = {}
