import { PassThrough, Writable } from 'node:stream';

/** A stream that passes its data to `store`: it finishes when `store` resolves and fails with its error. */
export function uploadInto(store: (source: AsyncIterable<Buffer>) => Promise<unknown>): Writable {
  const source = new PassThrough();
  // The reader gets the error; without this listener, an error after it has stopped reading would end the process.
  source.on('error', () => {});
  const stored = store(source);
  const stream = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      // If `store` has stopped reading, its own error explains more than the stream's.
      source.write(bytes, (error) => {
        if (error) stored.then(() => done(error), done);
        else done();
      });
    },
    final: (done) => {
      source.end();
      stored.then(() => done(), done);
    },
    destroy: (error, done) => {
      source.destroy(error ?? new Error('the upload was aborted'));
      stored.then(
        () => done(error),
        () => done(error),
      );
    },
  });
  stored.catch((error: Error) => stream.destroy(error));
  return stream;
}
