// Private to net: one gRPC call, and what the calls of a server share. A call lives on one event loop: what the library
// tells (on its own threads) is posted there, so its state needs no lock. It keeps itself until the library is done
// with it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/support/byte_buffer.h>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "net/dispatch.h"
#include "net/exchange.h"
#include "net/server.h"

namespace slipway::net {

class GrpcCall;

struct GrpcShared {
  ServerOptions options;
  Router router;
  base::Log& log;
  Observer observer;
  Gate gate;
  SpanSink spans;  // empty: nobody traces
  std::atomic<bool> draining{false};
  std::atomic<std::chrono::steady_clock::rep> drain_deadline{0};  // of steady_clock
  std::atomic<int> calls{0};
  std::atomic<int> cut{0};  // messages without an answer at the drain's deadline
  std::mutex mutex;               // only for waiting on `ended`
  std::condition_variable ended;  // the last call has
};

// `calls` belongs to the loop's thread.
struct GrpcLoop {
  std::unordered_set<GrpcCall*> calls;
  boost::asio::io_context io{1};
};

// The way back of one message. The responder's side is for any thread, the call's side for its loop.
class GrpcExchange final : public Exchange {
 public:
  // What the call is to do next.
  struct Step {
    enum class Kind { kNothing, kAnswer, kMessage, kEnd, kCut };
    Kind kind = Kind::kNothing;
    std::function<Response()> make;  // kAnswer, unless `response` is it
    Response response;
    std::string message;  // kMessage
  };

  GrpcExchange(std::shared_ptr<GrpcCall> call, boost::asio::io_context& io, size_t max_stream_buffer)
      : call_(std::move(call)), io_(io), max_stream_buffer_(max_stream_buffer) {}

  bool answer(Response response) override;
  bool answer(std::function<Response()> make) override;
  bool begin_stream(Response head) override;
  bool write(std::string_view bytes) override;
  void end_stream(bool clean) override;
  bool wanted() const override;

  Step next();
  // Nothing more is wanted. Ends what keeps the call alive.
  void detach() noexcept;

 private:
  enum class State { kPending, kStreaming, kEnded, kCut, kAnswered, kTaken };
  bool answer_locked();
  void wake_locked();

  mutable std::mutex mutex_;
  std::shared_ptr<GrpcCall> call_;  // null once detached
  boost::asio::io_context& io_;     // alive while call_ is not null
  const size_t max_stream_buffer_;
  State state_ = State::kPending;
  Response response_;
  std::function<Response()> make_;
  std::deque<std::string> messages_;
  size_t waiting_bytes_ = 0;
};

class GrpcCall final : public grpc::ServerGenericBidiReactor, public std::enable_shared_from_this<GrpcCall> {
 public:
  // For the library: the reactor of a call that begins. Refuses, in words, when the server drains or is full.
  static grpc::ServerGenericBidiReactor* begin(GrpcShared& shared, GrpcLoop& loop,
                                               grpc::GenericCallbackServerContext* context);
  GrpcCall(GrpcShared& shared, GrpcLoop& loop, grpc::GenericCallbackServerContext* context)
      : shared_(shared), loop_(loop), context_(context), timer_(loop.io) {}

  // On the loop: takes the exchange's next step.
  void progress();
  // On the loop, when the server drains: ends the call when it waits for its client.
  void retire();

  // The library's threads.
  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  enum class Wait { kMessage, kAnswer, kWrite };

  void start();
  void read_done(bool ok);
  void write_done(bool ok);
  void cancelled();
  void done();
  void take_message();
  Request request_of(std::string body) const;
  void send(const Response& response);
  void write(std::string_view message);
  void end_message();
  void wait_for_client();
  void observe(int status);
  void finish(grpc::Status status, int http_status);
  void fail(const Response& response);
  void arm(int milliseconds, Wait wait);
  void timed_out(Wait wait);
  template <class Member>
  void post(Member member);

  GrpcShared& shared_;
  GrpcLoop& loop_;
  grpc::GenericCallbackServerContext* context_;  // the library's, until it is done
  boost::asio::steady_timer timer_;
  uint64_t timer_turn_ = 0;         // an expiry of an earlier turn counts for nothing
  std::shared_ptr<GrpcCall> self_;  // until the library is done
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  bool has_message_ = false;  // incoming_ is a message that waits
  bool half_closed_ = false;  // the client sends no more
  bool writing_ = false;
  bool answered_ = false;  // what is being written is the whole answer to the message
  bool finished_ = false;  // the status is given: no operation may follow
  bool any_message_ = false;
  // Of the message under way.
  std::shared_ptr<GrpcExchange> exchange_;
  Dispatched dispatched_;
  std::string request_id_;
  std::chrono::steady_clock::time_point began_;
};

}  // namespace slipway::net
