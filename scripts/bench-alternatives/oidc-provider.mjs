// oidc-provider with opaque tokens: `node oidc-provider.mjs memory|sqlite|postgres PORT`.
// SQLite's file is in BENCH_DIRECTORY, PostgreSQL's database at BENCH_POSTGRES_URL.

import { generateKeyPairSync } from 'node:crypto'
import cluster from 'node:cluster'
import { Provider } from 'oidc-provider'

const [kind, port] = process.argv.slice(2)

const TABLE = {
  sqlite: 'CREATE TABLE IF NOT EXISTS models (id TEXT PRIMARY KEY, payload TEXT NOT NULL, expires_at INTEGER) WITHOUT ROWID',
  postgres: 'CREATE TABLE IF NOT EXISTS models (id text PRIMARY KEY, payload json NOT NULL, expires_at bigint)',
}

/** What a statement over one `id` does, in the words of both databases. */
const SAVE = 'INSERT INTO models (id, payload, expires_at) VALUES ($1, $2, $3) ' +
  'ON CONFLICT (id) DO UPDATE SET payload = excluded.payload, expires_at = excluded.expires_at'
const FIND = 'SELECT payload FROM models WHERE id = $1'
const DELETE = 'DELETE FROM models WHERE id = $1'

/** All that came in one turn of the event loop is committed together. */
async function sqlite() {
  const { default: Database } = await import('better-sqlite3')
  const db = new Database(`${process.env.BENCH_DIRECTORY}/oidc-provider.db`)
  db.pragma('journal_mode = WAL')
  db.pragma('synchronous = FULL')
  db.exec(TABLE.sqlite)
  const statements = Object.fromEntries(Object.entries({ SAVE, FIND, DELETE })
    .map(([name, sql]) => [name, db.prepare(sql.replace(/\$(\d)/g, '?'))]))
  let waiting = []
  const commit = () => {
    const batch = waiting
    waiting = []
    try {
      db.transaction(() => { for (const { run } of batch) run() })()
      for (const { resolve } of batch) resolve()
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
  const write = (run) => new Promise((resolve, reject) => {
    if (waiting.length === 0) setImmediate(commit)
    waiting.push({ run, resolve, reject })
  })
  return {
    save: (id, payload, expires) => write(() => statements.SAVE.run(id, JSON.stringify(payload), expires)),
    find: async (id) => { const row = statements.FIND.get(id); return row && JSON.parse(row.payload) },
    remove: (id) => write(() => statements.DELETE.run(id)),
  }
}

async function postgres() {
  const { default: pg } = await import('pg')
  const pool = new pg.Pool({ connectionString: process.env.BENCH_POSTGRES_URL, max: 16 })
  if (cluster.isPrimary) await pool.query(TABLE.postgres)
  const query = (name, text, values) => pool.query({ name, text, values })
  return {
    save: (id, payload, expires) => query('save', SAVE, [id, payload, expires]),
    find: async (id) => (await query('find', FIND, [id])).rows[0]?.payload,
    remove: (id) => query('delete', DELETE, [id]),
  }
}

/** The interface that the provider asks for. Nothing of it but `upsert` is on the way of this bench. */
const adapterOver = (store) => class {
  constructor(model) { this.model = model }
  key(id) { return `${this.model}:${id}` }
  upsert(id, payload, expiresIn) {
    return store.save(this.key(id), payload, expiresIn ? Math.floor(Date.now() / 1000) + expiresIn : null)
  }
  find(id) { return store.find(this.key(id)) }
  async findByUserCode() { return undefined }
  async findByUid() { return undefined }
  async consume(id) { await this.upsert(id, { ...await this.find(id), consumed: Math.floor(Date.now() / 1000) }) }
  destroy(id) { return store.remove(this.key(id)) }
  async revokeByGrantId() {}
}

async function serve() {
  const store = { sqlite, postgres }[kind]
  const key = (type, options, alg) => ({ ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }), use: 'sig', alg })
  const provider = new Provider(`http://127.0.0.1:${port}`, {
    ...store && { adapter: adapterOver(await store()) },
    clients: [{
      client_id: 'bench',
      client_secret: 'a-secret-of-this-bench',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    }],
    features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false } },
    jwks: { keys: [key('rsa', { modulusLength: 2048 }, 'RS256'), key('ed25519', {}, 'EdDSA')] },
    cookies: { keys: ['a-key-of-this-bench'] },
  })
  provider.on('server_error', (_, error) => console.error(error))
  return new Promise((resolve) => provider.listen(port, '127.0.0.1', resolve))
}

const ready = () => {
  console.log('Request /token bench:a-secret-of-this-bench grant_type=client_credentials')
  console.log(`Ready at http://127.0.0.1:${port}`)
}

// What is in one process's memory or one SQLite file has one writer; on PostgreSQL each core has a process.
const WORKERS = 2
if (kind !== 'postgres') {
  await serve()
  ready()
} else if (cluster.isPrimary) {
  await (await postgres()).find('the table is there')
  let listening = 0
  cluster.on('listening', () => { if (++listening === WORKERS) ready() })
  for (let i = 0; i < WORKERS; i++) cluster.fork()
} else {
  await serve()
}
