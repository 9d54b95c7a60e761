import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

const PORTS: Record<string, number> = { 'redis:': 6379, 'postgres:': 5432, 'postgresql:': 5432 }

/** Stands in front of a server, and counts how often a client asked and then had to wait. */
export class TripCounter {
  trips = 0
  /** The server's, by way of this. */
  readonly url: string
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(target: URL, server: Server) {
    this.#server = server
    const url = new URL(target)
    url.hostname = '127.0.0.1'
    url.port = String((server.address() as AddressInfo).port)
    this.url = url.href
    server.on('connection', client => this.#relay(client, target))
  }

  static async before(url: string): Promise<TripCounter> {
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    return new TripCounter(new URL(url), server)
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #relay(client: Socket, { protocol, hostname, port }: URL): void {
    const server = connect(Number(port) || (PORTS[protocol] ?? 0), hostname)
    let isWaiting = false
    client.on('data', () => {
      if (!isWaiting) this.trips++
      isWaiting = true
    })
    server.on('data', () => {
      isWaiting = false
    })
    for (const socket of [client, server]) {
      this.#sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    client.pipe(server)
    server.pipe(client)
  }
}
