import { PassThrough, Writable } from 'node:stream';

/** A stream that finishes once `keep` has kept what was written, and fails with what that rejects with. */
export function uploadInto(keep: (source: AsyncIterable<Buffer>) => Promise<unknown>): Writable {
  const source = new PassThrough();
  // Whoever reads it hears of it; there may be nobody left.
  source.on('error', () => {});
  const kept = keep(source);
  const stream = new Writable({
    write: (bytes: Buffer, _encoding, done) => {
      // One that stops reading has a better reason than the end of the stream.
      source.write(bytes, (error) => {
        if (error) kept.then(() => done(error), done);
        else done();
      });
    },
    final: (done) => {
      source.end();
      kept.then(() => done(), done);
    },
    destroy: (error, done) => {
      source.destroy(error ?? new Error('the upload was broken off'));
      kept.then(
        () => done(error),
        () => done(error),
      );
    },
  });
  kept.catch((error: Error) => stream.destroy(error));
  return stream;
}
