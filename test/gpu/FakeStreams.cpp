//===- FakeStreams.cpp - Streams, events and graphs of the fake driver ----===//
//
// Work waits on its stream until somebody synchronises: so it is seen when the
// host changes what a copy has yet to read, or reads what has yet to be made.
//
//===----------------------------------------------------------------------===//

#include "FakeDriver.h"

using namespace updraft::fake;

uint64_t updraft::fake::hashOf(const std::vector<Source> &sources) {
  uint64_t hash = 14695981039346656037u;
  for (const Source &source : sources)
    for (size_t i = 0; i < source.bytes; ++i)
      hash = (hash ^ uint8_t(source.begin[i])) * 1099511628211u;
  return hash;
}

/// The streams that have what `waiting` waits for.
static void finishUntil(const Stream &waiting, const Event &event) {
  Context &context = *waiting.context;
  if (!event.done && &context.defaultStream != &waiting)
    (void)finish(context.defaultStream, &event);
  for (Stream *stream : context.streams)
    if (!event.done && stream != &waiting)
      (void)finish(*stream, &event);
}

int updraft::fake::finish(Stream &stream, const Event *until) {
  int result = stream.context->stuck;
  while (!stream.works.empty() && !(until && until->done)) {
    Work work = std::move(stream.works.front());
    stream.works.pop_front();
    if (work.awaits)
      finishUntil(stream, *work.awaits);
    if (hashOf(work.sources) != work.hash)
      driver().noteMisuse("what " + work.what + " reads has changed since");
    if (work.run && !result) {
      Opened opened;
      result = stream.context->stuck = work.run();
    }
    if (work.records) {
      work.records->done = true;
      work.records->at = std::chrono::steady_clock::now();
    }
  }
  return result;
}

int updraft::fake::finish(Context &context) {
  int result = finish(context.defaultStream);
  for (Stream *stream : context.streams)
    if (int other = finish(*stream))
      result = other;
  return result;
}

static Stream *streamOf(FakeHandle handle, Context &context) {
  if (!handle)
    return &context.defaultStream;
  auto *stream = static_cast<Stream *>(handle);
  return context.streams.count(stream) ? stream : nullptr;
}

int updraft::fake::give(FakeHandle handle, Work work) {
  Context &context = *current();
  Stream *stream = streamOf(handle, context);
  if (!stream)
    return InvalidHandle;
  if (!handle && driver().captures) {
    driver().noteMisuse(work.what + " on the default stream while a graph is "
                                    "captured");
    return CaptureImplicit;
  }
  work.hash = hashOf(work.sources);
  if (!stream->captured)
    stream->works.push_back(std::move(work));
  else if (work.records || work.awaits)
    driver().noteMisuse("an event goes into a graph");
  else
    stream->captured->works.push_back(std::move(work));
  return Success;
}

//===- Streams ------------------------------------------------------------===//

FAKE_API int cuStreamCreate(FakeHandle *result, unsigned) {
  FAKE_CONTEXT("cuStreamCreate", false)
  auto *stream = new Stream;
  stream->context = context;
  context->streams.insert(stream);
  *result = stream;
  return Success;
}

FAKE_API int cuStreamDestroy_v2(FakeHandle handle) {
  FAKE_CONTEXT("cuStreamDestroy", false)
  Stream *stream = streamOf(handle, *context);
  if (!stream || !handle)
    return InvalidHandle;
  (void)finish(*stream);
  context->streams.erase(stream);
  delete stream;
  return Success;
}

FAKE_API int cuStreamSynchronize(FakeHandle handle) {
  FAKE_CONTEXT("cuStreamSynchronize", true)
  Stream *stream = streamOf(handle, *context);
  return stream ? finish(*stream) : int(InvalidHandle);
}

FAKE_API int cuStreamIsCapturing(FakeHandle handle, int *status) {
  FAKE_CONTEXT("cuStreamIsCapturing", false)
  Stream *stream = streamOf(handle, *context);
  if (!stream)
    return InvalidHandle;
  if (!handle && fake.captures)
    return CaptureImplicit;
  *status = stream->captured != nullptr;
  return Success;
}

//===- Events -------------------------------------------------------------===//

FAKE_API int cuEventCreate(FakeHandle *result, unsigned) {
  FAKE_CONTEXT("cuEventCreate", false)
  auto *event = new Event;
  context->events.insert(event);
  *result = event;
  return Success;
}

FAKE_API int cuEventDestroy_v2(FakeHandle handle) {
  FAKE_CONTEXT("cuEventDestroy", false)
  auto *event = static_cast<Event *>(handle);
  if (!context->events.count(event)) {
    fake.noteMisuse("what is destroyed is no event");
    return InvalidHandle;
  }
  // It is still recorded and waited for.
  (void)finish(*context);
  context->events.erase(event);
  delete event;
  return Success;
}

FAKE_API int cuEventRecord(FakeHandle handle, FakeHandle stream) {
  FAKE_CONTEXT("cuEventRecord", false)
  auto *event = static_cast<Event *>(handle);
  if (!context->events.count(event))
    return InvalidHandle;
  Work work;
  work.what = "cuEventRecord";
  work.records = event;
  event->done = false;
  return give(stream, std::move(work));
}

FAKE_API int cuStreamWaitEvent(FakeHandle stream, FakeHandle handle, unsigned) {
  FAKE_CONTEXT("cuStreamWaitEvent", false)
  auto *event = static_cast<Event *>(handle);
  if (!context->events.count(event))
    return InvalidHandle;
  Work work;
  work.what = "cuStreamWaitEvent";
  work.awaits = event;
  return give(stream, std::move(work));
}

FAKE_API int cuEventSynchronize(FakeHandle handle) {
  FAKE_CONTEXT("cuEventSynchronize", true)
  auto *event = static_cast<Event *>(handle);
  if (!context->events.count(event))
    return InvalidHandle;
  int result = finish(context->defaultStream, event);
  for (Stream *stream : context->streams)
    if (!event->done && !result)
      result = finish(*stream, event);
  return result;
}

FAKE_API int cuEventElapsedTime(float *milliseconds, FakeHandle begin,
                                FakeHandle end) {
  FAKE_CONTEXT("cuEventElapsedTime", false)
  auto *from = static_cast<Event *>(begin), *to = static_cast<Event *>(end);
  if (!context->events.count(from) || !context->events.count(to))
    return InvalidHandle;
  if (!from->done || !to->done)
    return NotReady;
  *milliseconds =
      std::chrono::duration<float, std::milli>(to->at - from->at).count();
  return Success;
}

//===- Graphs -------------------------------------------------------------===//

FAKE_API int cuStreamBeginCapture_v2(FakeHandle handle, int) {
  FAKE_CONTEXT("cuStreamBeginCapture", false)
  Stream *stream = streamOf(handle, *context);
  if (!stream || !handle || stream->captured)
    return InvalidHandle;
  stream->captured = std::make_unique<Graph>();
  ++fake.captures;
  return Success;
}

FAKE_API int cuStreamEndCapture(FakeHandle handle, FakeHandle *graph) {
  FAKE_CONTEXT("cuStreamEndCapture", false)
  Stream *stream = streamOf(handle, *context);
  if (!stream || !stream->captured)
    return InvalidHandle;
  *graph = stream->captured.release();
  --fake.captures;
  return Success;
}

FAKE_API int cuGraphInstantiateWithFlags(FakeHandle *result, FakeHandle graph,
                                         unsigned long long) {
  FAKE_CONTEXT("cuGraphInstantiate", false)
  *result = new Graph(*static_cast<Graph *>(graph));
  return Success;
}

FAKE_API int cuGraphLaunch(FakeHandle graph, FakeHandle handle) {
  FAKE_CONTEXT("cuGraphLaunch", false)
  Stream *stream = streamOf(handle, *context);
  if (!stream)
    return InvalidHandle;
  // With the hash of the capture: what a graph reads may never change.
  for (const Work &work : static_cast<Graph *>(graph)->works)
    stream->works.push_back(work);
  return Success;
}

FAKE_API int cuGraphExecDestroy(FakeHandle graph) {
  delete static_cast<Graph *>(graph);
  return Success;
}

FAKE_API int cuGraphDestroy(FakeHandle graph) {
  delete static_cast<Graph *>(graph);
  return Success;
}
