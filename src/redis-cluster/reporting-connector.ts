import { AbstractConnector } from 'ioredis';
import { connect, type Socket } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';

interface Target {
  readonly host: string;
  readonly port: number;
  readonly tls?: ConnectionOptions;
  readonly disconnectTimeout: number;
}

/**
 * Opens connections as the driver does, with the certificates of now, and tells why one could not be opened or was
 * broken. The driver itself does not pass that on when the slots are asked for: a certificate that is not trusted looks like any
 * closed connection.
 */
export function connectorReporting(
  secrets: { readonly tls: ConnectionOptions | undefined },
  onError: (address: string, error: Error) => void,
): new (target: unknown) => AbstractConnector {
  return class ReportingConnector extends AbstractConnector {
    private readonly target: Target;

    constructor(target: unknown) {
      super((target as Target).disconnectTimeout);
      this.target = target as Target;
    }

    override connect(): Promise<Socket> {
      const { host, port, tls } = this.target;
      this.connecting = true;
      const stream = tls
        ? connectTls({ host, port, ...tls, ...secrets.tls })
        : connect({ host, port });
      this.stream = stream;
      let hasFailed = false;
      // Not once: a TLS socket that was closed for its peer's name can fail again, and nobody listening ends the process.
      stream.on('error', (error: Error) => {
        if (!hasFailed) {
          hasFailed = true;
          this.firstError = error;
          onError(`${host}:${port}`, error);
        }
      });
      return Promise.resolve(stream);
    }

    override disconnect(): void {
      this.connecting = false;
      // For one that is closed already the driver would wait two seconds, and hold the process up as long.
      if (!this.stream?.destroyed) {
        super.disconnect();
      }
    }
  };
}
