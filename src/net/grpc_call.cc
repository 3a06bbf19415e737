#include "net/grpc_call.h"

#include <algorithm>
#include <array>
#include <boost/asio/post.hpp>
#include <charconv>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "net/grpc_server.h"
#include "net/responder.h"

namespace slipway::net {

namespace asio = boost::asio;

namespace {

constexpr size_t kMaxStatusMessage = size_t{4} << 10;  // it travels in a header
constexpr int kCancelled = 499;                        // for metrics, as nginx counts clients that left

std::string bytes_of(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string out;
  if (buffer.Dump(&slices).ok()) {
    out.reserve(buffer.Length());
    for (const grpc::Slice& slice : slices) {
      out.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
  }
  return out;
}

grpc::ByteBuffer buffer_of(std::string_view bytes) {
  const grpc::Slice slice(bytes.data(), bytes.size());
  return {&slice, 1};
}

// "ipv4:127.0.0.1:5000" or "ipv6:%5B::1%5D:5000" to the address alone; "" for what has none.
std::string address_of(const std::string& peer) {
  std::string text;
  if (!percent_decode(peer, false, text)) {
    return {};
  }
  const size_t scheme = text.find(':');
  const size_t port = text.rfind(':');
  if (scheme == std::string::npos || port <= scheme || !text.starts_with("ipv")) {
    return {};
  }
  std::string address = text.substr(scheme + 1, port - scheme - 1);
  if (address.size() >= 2 && address.front() == '[' && address.back() == ']') {
    address = address.substr(1, address.size() - 2);
  }
  return address;
}

bool is_loopback(const std::string& address) {
  return address == "::1" || address.starts_with("127.") || address.starts_with("::ffff:127.");
}

// The words of a failure: the "error" of a JSON object, else the body itself.
std::string words_of(const Response& response) {
  std::string words = response.body;
  if (words.starts_with('{')) {
    const Json json = Json::parse(words, nullptr, false);
    if (const auto error = json.find("error"); json.is_object() && error != json.end() && error->is_string()) {
      words = error->get<std::string>();
    }
  }
  return words.substr(0, kMaxStatusMessage);
}

std::string lower_case(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

// A call that is refused before it began.
class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  static Refusal* with(grpc::StatusCode code, const char* words) {
    auto refusal = std::make_unique<Refusal>();
    refusal->Finish(grpc::Status(code, words));
    return refusal.release();  // its own until OnDone
  }
  void OnDone() override { const std::unique_ptr<Refusal> self(this); }
};

}  // namespace

int grpc_code_of(int http_status) noexcept {
  static constexpr std::array<std::pair<int, grpc::StatusCode>, 13> kCodes = {{
      {400, grpc::StatusCode::INVALID_ARGUMENT},
      {401, grpc::StatusCode::UNAUTHENTICATED},
      {403, grpc::StatusCode::PERMISSION_DENIED},
      {404, grpc::StatusCode::NOT_FOUND},
      {408, grpc::StatusCode::DEADLINE_EXCEEDED},
      {409, grpc::StatusCode::ABORTED},
      {413, grpc::StatusCode::INVALID_ARGUMENT},
      {422, grpc::StatusCode::INVALID_ARGUMENT},
      {429, grpc::StatusCode::RESOURCE_EXHAUSTED},
      {kCancelled, grpc::StatusCode::CANCELLED},
      {501, grpc::StatusCode::UNIMPLEMENTED},
      {503, grpc::StatusCode::UNAVAILABLE},
      {504, grpc::StatusCode::DEADLINE_EXCEEDED},
  }};
  for (const auto& [status, code] : kCodes) {
    if (status == http_status) {
      return code;
    }
  }
  return http_status < 400 ? grpc::StatusCode::OK : grpc::StatusCode::INTERNAL;
}

bool GrpcExchange::answer_locked() {
  if (state_ != State::kPending || !call_) {
    return false;
  }
  state_ = State::kAnswered;
  wake_locked();
  return true;
}

void GrpcExchange::wake_locked() {
  asio::post(io_, [call = call_] { call->progress(); });
}

bool GrpcExchange::answer(Response response) {
  const std::lock_guard lock(mutex_);
  if (!answer_locked()) {
    return false;
  }
  response_ = std::move(response);
  return true;
}

bool GrpcExchange::answer(std::function<Response()> make) {
  const std::lock_guard lock(mutex_);
  if (!answer_locked()) {
    return false;
  }
  make_ = std::move(make);
  return true;
}

bool GrpcExchange::begin_stream(Response head) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kPending || !call_) {
    return false;
  }
  if (head.status >= 400) {
    response_ = std::move(head);
    state_ = State::kAnswered;
    wake_locked();
    return false;
  }
  state_ = State::kStreaming;
  return true;
}

bool GrpcExchange::write(std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (state_ != State::kStreaming || !call_) {
    return false;
  }
  waiting_bytes_ += bytes.size();
  if (waiting_bytes_ > max_stream_buffer_) {
    state_ = State::kCut;
  } else {
    messages_.emplace_back(bytes);
  }
  wake_locked();
  return state_ != State::kCut;
}

void GrpcExchange::end_stream(bool clean) {
  const std::lock_guard lock(mutex_);
  if (state_ == State::kStreaming && call_) {
    state_ = clean ? State::kEnded : State::kCut;
    wake_locked();
  }
}

bool GrpcExchange::wanted() const {
  const std::lock_guard lock(mutex_);
  return state_ == State::kPending && call_ != nullptr;
}

GrpcExchange::Step GrpcExchange::next() {
  const std::lock_guard lock(mutex_);
  Step step;
  if (state_ == State::kAnswered) {
    state_ = State::kTaken;
    step.kind = Step::Kind::kAnswer;
    step.make = std::move(make_);
    step.response = std::move(response_);
  } else if (state_ == State::kCut) {
    step.kind = Step::Kind::kCut;
  } else if (!messages_.empty()) {
    step.kind = Step::Kind::kMessage;
    step.message = std::move(messages_.front());
    messages_.pop_front();
    waiting_bytes_ -= step.message.size();
  } else if (state_ == State::kEnded) {
    state_ = State::kTaken;
    step.kind = Step::Kind::kEnd;
  }
  return step;
}

// What was answered and not taken holds what the handler holds, its responder and so this exchange too: it must go
// here.
void GrpcExchange::detach() noexcept {
  std::shared_ptr<GrpcCall> last;  // these are released without the lock
  std::function<Response()> make;
  const std::lock_guard lock(mutex_);
  last.swap(call_);
  make.swap(make_);
}

grpc::ServerGenericBidiReactor* GrpcCall::begin(GrpcShared& shared, GrpcLoop& loop,
                                                grpc::GenericCallbackServerContext* context) {
  if (shared.draining.load()) {
    return Refusal::with(grpc::StatusCode::UNAVAILABLE, "the server is shutting down; send the request again");
  }
  if (shared.calls.fetch_add(1) >= shared.options.max_connections) {
    const std::lock_guard lock(shared.mutex);
    shared.calls.fetch_sub(1);
    shared.ended.notify_all();
    return Refusal::with(grpc::StatusCode::RESOURCE_EXHAUSTED, "too many calls are open; try again in a second");
  }
  auto call = std::make_shared<GrpcCall>(shared, loop, context);
  GrpcCall* const raw = call.get();
  raw->self_ = std::move(call);
  raw->post(&GrpcCall::start);
  return raw;
}

template <class Member>
void GrpcCall::post(Member member) {
  asio::post(loop_.io, [call = shared_from_this(), member] { ((*call).*member)(); });
}

void GrpcCall::OnReadDone(bool ok) {
  asio::post(loop_.io, [call = shared_from_this(), ok] { call->read_done(ok); });
}
void GrpcCall::OnWriteDone(bool ok) {
  asio::post(loop_.io, [call = shared_from_this(), ok] { call->write_done(ok); });
}
void GrpcCall::OnCancel() { post(&GrpcCall::cancelled); }
void GrpcCall::OnDone() { post(&GrpcCall::done); }

void GrpcCall::start() {
  loop_.calls.insert(this);
  StartRead(&incoming_);
  arm(shared_.options.body_timeout_ms, Wait::kMessage);
}

void GrpcCall::read_done(bool ok) {
  (ok ? has_message_ : half_closed_) = true;
  if (!exchange_ && !finished_) {
    wait_for_client();
  }
}

// Between two messages: the next one, if it is there; the end, if the client sends no more.
void GrpcCall::wait_for_client() {
  if (has_message_ && shared_.draining.load()) {
    finish({grpc::StatusCode::UNAVAILABLE, "the server is shutting down; send the request again"}, 503);
  } else if (has_message_) {
    take_message();
  } else if (half_closed_) {
    finish(
        any_message_ ? grpc::Status::OK : grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "the call has no message"),
        any_message_ ? 200 : 400);
  } else if (shared_.draining.load()) {
    retire();
  } else {
    arm(shared_.options.idle_timeout_ms, Wait::kMessage);
  }
}

void GrpcCall::retire() {
  if (!exchange_ && !finished_ && any_message_ && !has_message_ && !half_closed_) {
    finish({grpc::StatusCode::UNAVAILABLE, "the server is shutting down"}, 503);
  }
}

Request GrpcCall::request_of(std::string body) const {
  Request request;
  request.method = "POST";
  request.path = context_->method();
  request.headers.add("Content-Type", "application/grpc");
  for (const auto& [name, value] : context_->client_metadata()) {
    request.headers.add(std::string(name.data(), name.size()), std::string(value.data(), value.size()));
  }
  request.body = std::move(body);
  request.peer = address_of(context_->peer());
  request.from_loopback = is_loopback(request.peer);
  request.id = request_id_of(request.headers);
  return request;
}

void GrpcCall::take_message() {
  Request request = request_of(bytes_of(incoming_));
  incoming_.Clear();
  has_message_ = false;
  any_message_ = true;
  StartRead(&incoming_);  // the next message, or that there is none
  request_id_ = request.id;
  began_ = std::chrono::steady_clock::now();
  exchange_ = std::make_shared<GrpcExchange>(shared_from_this(), loop_.io,
                                             static_cast<size_t>(shared_.options.max_stream_buffer));
  arm(shared_.options.handler_timeout_ms, Wait::kAnswer);
  Router::Match match = shared_.router.find(request);
  if (match.sink != nullptr) {  // its handler waits for a body in a sink, and ours is in memory
    match = {};
    request.route.clear();
  }
  Admission admission = shared_.gate ? shared_.gate(request) : Admission();
  if (admission.later) {
    admission = {};
    admission.refusal = error_response(501, "this call needs a check that gRPC calls cannot wait for");
  }
  dispatched_ = dispatch(match, std::move(admission), shared_.log, shared_.spans != nullptr, std::move(request), exchange_);
}

void GrpcCall::progress() {
  if (finished_ || writing_ || !exchange_) {
    return;
  }
  GrpcExchange::Step step = exchange_->next();
  switch (step.kind) {
    case GrpcExchange::Step::Kind::kNothing: return;
    case GrpcExchange::Step::Kind::kAnswer:
      if (step.make) {
        try {
          step.response = step.make();
        } catch (const std::exception& error) {
          step.response = error_response(error);
        }
      }
      send(step.response);
      return;
    case GrpcExchange::Step::Kind::kMessage: write(step.message); return;
    case GrpcExchange::Step::Kind::kEnd:
      observe(200);
      end_message();
      return;
    case GrpcExchange::Step::Kind::kCut: finish({grpc::StatusCode::ABORTED, "the answer was cut off"}, 500); return;
  }
}

void GrpcCall::send(const Response& response) {
  for (const auto& [name, value] : dispatched_.admission.headers) {
    context_->AddInitialMetadata(lower_case(name), value);
  }
  if (response.status >= 400) {
    fail(response);
    return;
  }
  observe(response.status);
  if (half_closed_ && !has_message_) {
    finished_ = true;
    timer_.cancel();
    exchange_->detach();
    outgoing_ = buffer_of(response.body);
    StartWriteAndFinish(&outgoing_, grpc::WriteOptions(), grpc::Status::OK);
    return;
  }
  answered_ = true;
  write(response.body);
}

void GrpcCall::fail(const Response& response) {
  if (const std::string_view after = response.headers.get("Retry-After"); !after.empty()) {
    int seconds = 0;
    std::from_chars(after.data(), after.data() + after.size(), seconds);
    context_->AddTrailingMetadata("grpc-retry-pushback-ms", std::to_string(int64_t{1000} * seconds));
  }
  const bool no_method = response.status == 404 && dispatched_.route.empty();
  const auto code =
      no_method ? grpc::StatusCode::UNIMPLEMENTED : static_cast<grpc::StatusCode>(grpc_code_of(response.status));
  finish({code, words_of(response)}, response.status);
}

void GrpcCall::write(std::string_view message) {
  outgoing_ = buffer_of(message);
  writing_ = true;
  arm(shared_.options.write_timeout_ms, Wait::kWrite);
  StartWrite(&outgoing_);
}

void GrpcCall::write_done(bool ok) {
  writing_ = false;
  if (finished_) {
    return;
  }
  if (!ok) {
    finish(grpc::Status::CANCELLED, kCancelled);
  } else if (answered_) {
    end_message();
  } else {
    arm(shared_.options.handler_timeout_ms, Wait::kAnswer);
    progress();
  }
}

void GrpcCall::end_message() {
  exchange_->detach();
  exchange_.reset();
  dispatched_ = {};
  answered_ = false;
  wait_for_client();
}

void GrpcCall::cancelled() {
  if (finished_) {
    return;
  }
  const bool late = std::chrono::steady_clock::now().time_since_epoch().count() >= shared_.drain_deadline.load();
  if (exchange_ && shared_.draining.load() && late) {
    shared_.cut.fetch_add(1);
  }
  finish(grpc::Status::CANCELLED, kCancelled);
}

void GrpcCall::observe(int status) {
  if (!exchange_) {
    return;
  }
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - began_;
  const Finished finished{"POST", dispatched_.route, request_id_, dispatched_.admission.client,
                          status, seconds.count()};
  if (shared_.observer) {
    shared_.observer(finished);
  }
  const std::string path = context_->method().substr(1);  // "package.Service/Method"
  const size_t slash = std::min(path.find('/'), path.size());
  end_trace(shared_.spans, dispatched_, finished,
            {{"rpc.system", "grpc"},
             {"rpc.service", path.substr(0, slash)},
             {"rpc.method", path.substr(std::min(slash + 1, path.size()))},
             {"rpc.grpc.status_code", int64_t{grpc_code_of(status)}}});
}

// An answer that is being written was observed already.
void GrpcCall::finish(grpc::Status status, int http_status) {
  if (!answered_) {
    observe(http_status);
  }
  finished_ = true;
  timer_.cancel();
  if (exchange_) {
    exchange_->detach();
  }
  Finish(std::move(status));
}

void GrpcCall::done() {
  timer_.cancel();
  if (exchange_) {
    exchange_->detach();
    exchange_.reset();
  }
  dispatched_ = {};
  loop_.calls.erase(this);
  {
    const std::lock_guard lock(shared_.mutex);
    if (shared_.calls.fetch_sub(1) == 1) {
      shared_.ended.notify_all();
    }
  }
  self_.reset();
}

void GrpcCall::arm(int milliseconds, Wait wait) {
  timer_.expires_after(std::chrono::milliseconds(milliseconds));
  timer_.async_wait([weak = weak_from_this(), wait, turn = ++timer_turn_](const boost::system::error_code& error) {
    const std::shared_ptr<GrpcCall> call = weak.lock();
    if (!error && call && call->timer_turn_ == turn && !call->finished_) {
      call->timed_out(wait);
    }
  });
}

void GrpcCall::timed_out(Wait wait) {
  if (wait == Wait::kWrite) {
    context_->TryCancel();  // a client that does not read takes no status either
  } else if (wait == Wait::kAnswer) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        began_ + (exchange_ ? exchange_->allowed() : std::chrono::milliseconds(0)) - std::chrono::steady_clock::now());
    if (left.count() > 0) {  // the handler was given more than the options say
      arm(static_cast<int>(left.count()) + 1, wait);
      return;
    }
    finish({grpc::StatusCode::DEADLINE_EXCEEDED, "the request took too long"}, 504);
  } else if (!exchange_) {
    finish({grpc::StatusCode::DEADLINE_EXCEEDED, "no message came in time"}, 408);
  }
}

}  // namespace slipway::net
