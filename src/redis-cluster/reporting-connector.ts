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
 * Opens connections like the driver, but with the current certificates, and reports why a connection failed. The driver hides
 * that reason while it queries the slots: an untrusted certificate looks like any closed connection.
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
      // Not `once`: a TLS socket that was closed for a wrong peer name can fail again, and an error without a listener ends the
      // process.
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
      // For a closed stream the driver would wait two seconds, which delays the end of the process.
      if (!this.stream?.destroyed) {
        super.disconnect();
      }
    }
  };
}
