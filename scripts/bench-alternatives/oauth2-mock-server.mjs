// oauth2-mock-server, which signs and keeps nothing: `node oauth2-mock-server.mjs PORT`.

import { OAuth2Server } from 'oauth2-mock-server'

const [port] = process.argv.slice(2)
const server = new OAuth2Server()
await server.issuer.keys.generate('EdDSA')
await server.start(Number(port), '127.0.0.1')
console.log('Request /token bench:a-secret-of-this-bench grant_type=client_credentials')
console.log(`Ready at http://127.0.0.1:${port}`)
