#include "net/session.h"

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/http/read.hpp>
#include <chrono>
#include <fcntl.h>
#include <fmt/format.h>
#include <limits>
#include <optional>
#include <unistd.h>
#include <utility>

#include "net/pending.h"

namespace slipway::net {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::awaitable;
using asio::redirect_error;
using asio::use_awaitable;
using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr size_t kReadPiece = size_t{16} << 10;
constexpr size_t kUploadPiece = size_t{64} << 10;  // hashing and writing one takes about 0.1 ms
constexpr size_t kFilePiece = size_t{256} << 10;   // read from the page cache in about 0.05 ms
constexpr size_t kLingerBytes = size_t{4} << 20;   // of a refused body that are read and thrown away
constexpr int kLingerMs = 1'000;
constexpr uint64_t kDropBytes = uint64_t{64} << 10;  // of a refused body that are dropped to keep the connection
constexpr int kRetryAfterDrainSeconds = 1;
// A connection that was quiet for so long has hardly a request on its way when a drain closes it: longer than a round
// trip around the earth and than a busy client's pause between an answer and its next request.
constexpr milliseconds kDrainQuiet{250};

// Counts a request from its first byte until its response is out, also when the coroutine is destroyed in between.
class InFlight {
 public:
  explicit InFlight(Shared& shared) : shared_(shared) { shared_.in_flight.fetch_add(1); }
  ~InFlight() { shared_.in_flight.fetch_sub(1); }
  InFlight(const InFlight&) = delete;
  InFlight& operator=(const InFlight&) = delete;

 private:
  Shared& shared_;
};

// Tells the exchange that nobody listens any more, whichever way the coroutine ends.
class Detach {
 public:
  explicit Detach(HttpExchange& exchange) : exchange_(exchange) {}
  ~Detach() { exchange_.detach(); }
  Detach(const Detach&) = delete;
  Detach& operator=(const Detach&) = delete;

 private:
  HttpExchange& exchange_;
};

void add_headers(Response& response, const Headers& headers) {
  for (const auto& [name, value] : headers) {
    response.headers.set(name, value);
  }
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

}  // namespace

struct Deadline::State : std::enable_shared_from_this<Deadline::State> {
  using Time = std::chrono::steady_clock::time_point;
  explicit State(asio::ip::tcp::socket& of) : socket(&of), timer(of.get_executor()) {}

  void run_until(Time end) {
    timer.expires_at(end);  // ends the wait that is under way, if any
    running = end;
    timer.async_wait([self = shared_from_this()](const error_code& error) {
      if (!error) {
        self->look();
      }
    });
  }
  // The timer has ended; what was armed since then may be due later, or nothing at all.
  void look() {
    running.reset();
    if (socket == nullptr || !due) {
      return;
    }
    if (std::chrono::steady_clock::now() < *due) {
      run_until(*due);
      return;
    }
    due.reset();
    fired = true;
    error_code ignored;
    socket->cancel(ignored);
  }

  asio::ip::tcp::socket* socket;  // null once the deadline has gone
  asio::steady_timer timer;
  std::optional<Time> due;      // of the operation under way
  std::optional<Time> running;  // when the timer ends
  bool fired = false;
};

Deadline::Deadline(asio::ip::tcp::socket& socket) : state_(std::make_shared<State>(socket)) {}

Deadline::~Deadline() {
  state_->socket = nullptr;
  state_->timer.cancel();
}

void Deadline::arm(int milliseconds_from_now) {
  const auto due = std::chrono::steady_clock::now() + milliseconds(milliseconds_from_now);
  state_->fired = false;
  state_->due = due;
  if (!state_->running || due < *state_->running) {
    state_->run_until(due);
  }
}

void Deadline::disarm() { state_->due.reset(); }

bool Deadline::fired() const { return state_->fired; }

Session::Session(asio::ip::tcp::socket socket, Loop& loop, Shared& shared)
    : connection_(std::move(socket)),
      socket_(connection_.socket()),
      deadline_(socket_),
      buffer_(static_cast<size_t>(shared.options.max_header_bytes) + kReadPiece),
      loop_(loop),
      shared_(shared) {
  loop_.sessions.insert(this);
  error_code error;
  const auto endpoint = socket_.remote_endpoint(error);
  if (!error) {
    const asio::ip::address address = endpoint.address();
    peer_ = address.to_string();
    from_loopback_ =
        address.is_loopback() || (address.is_v6() && address.to_v6().is_v4_mapped() &&
                                  asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).is_loopback());
  }
  socket_.set_option(asio::ip::tcp::no_delay(true), error);
}

Session::~Session() {
  loop_.sessions.erase(this);
  if (shared_.connections.fetch_sub(1) == 1) {
    shared_.tell_drain();
  }
}

void Session::retire() {
  if (waiting_) {
    const auto quiet = std::chrono::duration_cast<milliseconds>(std::chrono::steady_clock::now() - quiet_since_);
    deadline_.arm(static_cast<int>(std::max(milliseconds(0), kDrainQuiet - quiet).count()));
  }
}

awaitable<void> Session::run(std::unique_ptr<Session> session) {
  const bool tls = session->shared_.tls != nullptr;
  if (session->shared_.connections.load() > session->shared_.options.max_connections) {
    if (tls) {
      co_return;  // words would cost a handshake, which is what there is too much of
    }
    Response full = error_response(503, "the server has as many connections as it takes; try again");
    full.headers.set("Retry-After", "1");
    co_await session->send(full, false, false, false, "");
    co_await session->linger();
    co_return;
  }
  if (tls && !co_await session->begin_tls()) {
    co_return;
  }
  while (co_await session->wait_for_bytes()) {
    const Next next = co_await session->serve_one();
    if (next == Next::kLinger) {
      co_await session->linger();
    }
    if (next != Next::kKeep) {
      if (tls) {
        co_await session->end_tls();
      }
      error_code error;
      session->socket_.shutdown(asio::ip::tcp::socket::shutdown_both, error);
      break;
    }
  }
}

// The handshake, within the time that headers have. A client that speaks HTTP without TLS is told so in plain words:
// its first byte is not that of a handshake record (RFC 8446, 5.1).
awaitable<bool> Session::begin_tls() {
  constexpr unsigned char kHandshakeRecord = 22;
  error_code error;
  deadline_.arm(shared_.options.header_timeout_ms);
  co_await socket_.async_wait(asio::ip::tcp::socket::wait_read, redirect_error(use_awaitable, error));
  unsigned char first = 0;
  if (!error) {
    socket_.receive(asio::buffer(&first, 1), asio::ip::tcp::socket::message_peek, error);
  }
  if (error) {
    co_return false;
  }
  if (first != kHandshakeRecord) {
    co_await refuse_plain();
    co_return false;
  }
  connection_.begin_tls(shared_.tls->current());
  co_await connection_.tls().async_handshake(asio::ssl::stream_base::server, redirect_error(use_awaitable, error));
  deadline_.disarm();
  if (error && shared_.log.enabled(base::LogLevel::kDebug)) {
    shared_.log.debug("a TLS handshake failed", {{"error", error.message()}});
  }
  co_return !error;
}

awaitable<void> Session::refuse_plain() {
  const Response response = error_response(400, "this port speaks HTTPS: write https:// in the address");
  co_await send(response, false, false, false, "");
  co_await linger();
}

// Says that nothing follows (close_notify), so that the client can tell an end from a cut.
awaitable<void> Session::end_tls() {
  error_code error;
  deadline_.arm(kLingerMs);
  co_await connection_.tls().async_shutdown(redirect_error(use_awaitable, error));
}

// True when there is something to parse. A pipelined request may be in the buffer already.
awaitable<bool> Session::wait_for_bytes() {
  if (buffer_.size() > 0) {
    co_return true;
  }
  error_code error;
  waiting_ = true;
  quiet_since_ = std::chrono::steady_clock::now();
  deadline_.arm(shared_.options.idle_timeout_ms);
  if (shared_.draining.load()) {
    retire();
  }
  size_t got = co_await connection_.async_read_some(buffer_.prepare(kReadPiece), redirect_error(use_awaitable, error));
  waiting_ = false;
  if (error && deadline_.fired() && !connection_.is_tls()) {
    // Time was up, but on a busy machine a request may lie there that the loop had not come to.
    error_code ignored;
    if (socket_.available(ignored) > 0) {
      got = socket_.read_some(buffer_.prepare(kReadPiece), error);
    }
  }
  buffer_.commit(got);
  co_return !error && got > 0;
}

struct Session::Arrived {
  Request request;
  std::shared_ptr<const Router> router;  // what `match` points into
  Router::Match match;
  Admission admission;  // its lease lasts from here on
  bool keep_alive = false;
  bool http_1_0 = false;
  bool unread = false;  // a refused body that the client may still be sending
};

// Reads a body into the sink of its route. Each piece has the time that a whole body has elsewhere.
awaitable<void> Session::read_upload(wire::Parser& parser, const Router::Match& match, Request& request,
                                     error_code& error) {
  wire::UploadParser upload(std::move(parser));
  upload.body_limit(match.max_bytes);
  request.sink = (*match.sink)(request);
  std::string piece(kUploadPiece, '\0');
  while (!error && !upload.is_done()) {
    upload.get().body().data = piece.data();
    upload.get().body().size = piece.size();
    deadline_.arm(shared_.options.body_timeout_ms);
    co_await beast::http::async_read(connection_, buffer_, upload, redirect_error(use_awaitable, error));
    if (error == beast::http::error::need_buffer) {
      error = {};
    }
    const size_t got = piece.size() - upload.get().body().size;
    if (!error && request.sink) {
      request.sink->write({piece.data(), got});
    }
  }
}

// The gate's decision, also where it comes later.
awaitable<Admission> Session::admit(const Request& request) {
  Admission admission = shared_.gate(request);
  if (!admission.later) {
    co_return admission;
  }
  struct Detach {
    explicit Detach(PendingAdmission& pending_in) : pending(pending_in) {}
    ~Detach() { pending.detach(); }
    Detach(const Detach&) = delete;
    Detach& operator=(const Detach&) = delete;
    PendingAdmission& pending;
  };
  deadline_.disarm();
  asio::steady_timer timer(loop_.io);
  timer.expires_after(milliseconds(shared_.options.handler_timeout_ms));
  const auto until = timer.expiry();
  const auto pending = std::make_shared<PendingAdmission>(timer);
  const Detach detach(*pending);
  admission.later([pending](Admission decision) { pending->complete(std::move(decision)); });
  while (std::chrono::steady_clock::now() < until) {
    if (auto decision = pending->take()) {
      co_return std::move(*decision);
    }
    error_code error;
    timer.expires_at(until);
    co_await timer.async_wait(redirect_error(use_awaitable, error));
  }
  Admission late;
  late.refusal = error_response(504, "the request took too long");
  co_return late;
}

// A short body of a refused request is read and dropped, which keeps the connection; any other is left, and with it the
// connection. Nobody who expects "100 Continue" is told to send.
awaitable<void> Session::drop_body(wire::Parser& parser, Arrived& arrived) {
  if (parser.is_done()) {
    co_return;
  }
  error_code error = beast::http::error::body_limit;
  if (parser.content_length() && *parser.content_length() <= kDropBytes &&
      parser.get()[beast::http::field::expect].empty()) {
    parser.body_limit(kDropBytes);
    deadline_.arm(shared_.options.body_timeout_ms);
    error = {};
    co_await beast::http::async_read(connection_, buffer_, parser, redirect_error(use_awaitable, error));
  }
  if (error) {
    arrived.keep_alive = false;
    arrived.unread = true;
  }
}

// Takes the body, into memory or the sink of its route.
awaitable<void> Session::read_body(wire::Parser& parser, Arrived& arrived, error_code& error) {
  if (parser.is_done() && arrived.match.sink == nullptr) {
    co_return;
  }
  deadline_.arm(shared_.options.body_timeout_ms);
  if (!parser.get()[beast::http::field::expect].empty() && parser.get().version() == 11) {
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    co_await asio::async_write(connection_, asio::buffer(kContinue), redirect_error(use_awaitable, error));
  }
  if (!error && arrived.match.sink != nullptr) {
    co_await read_upload(parser, arrived.match, arrived.request, error);
  } else if (!error) {
    co_await beast::http::async_read(connection_, buffer_, parser, redirect_error(use_awaitable, error));
  }
}

// False when the request cannot be served: `refusal` says why, or `silent` that nobody is there to be told. What the
// gate refuses can be served: with its refusal. Nothing of a body is taken before the gate has agreed.
awaitable<bool> Session::read_message(Arrived& arrived, wire::Refusal& refusal, bool& silent) {
  const ServerOptions& options = shared_.options;
  wire::Parser parser;
  wire::configure(parser, options);
  parser.body_limit(
      std::numeric_limits<std::uint64_t>::max());  // until the route is known; Boost 1.74 takes none for zero
  error_code error;
  deadline_.arm(options.header_timeout_ms);
  co_await beast::http::async_read_header(connection_, buffer_, parser, redirect_error(use_awaitable, error));
  if (!error) {
    if (auto refused = wire::check_head(parser, options)) {
      refusal = std::move(*refused);
      co_return false;
    }
    arrived.keep_alive = options.keep_alive && parser.get().keep_alive();
    arrived.http_1_0 = parser.get().version() == 10;
    if (auto refused = wire::to_head(parser.get(), arrived.request)) {
      refusal = std::move(*refused);
      refusal.close = refusal.close || !parser.is_done();  // its body is not read
      arrived.keep_alive = arrived.keep_alive && !refusal.close;
      co_return false;
    }
    arrived.request.peer = peer_;
    arrived.request.from_loopback = from_loopback_;
    arrived.router = shared_.current_router();
    const Router::Match& match = arrived.match = arrived.router->find(arrived.request);
    if (shared_.gate && !shared_.draining.load()) {
      arrived.admission = co_await admit(arrived.request);
      if (arrived.admission.refusal) {
        co_await drop_body(parser, arrived);
        co_return true;
      }
      arrived.request.identity = arrived.admission.identity;  // its sink may ask
    }
    const uint64_t limit = match.sink != nullptr ? match.max_bytes : static_cast<uint64_t>(options.max_body_bytes);
    if (parser.content_length() && *parser.content_length() > limit) {
      refusal = {413, fmt::format("the body is larger than {} bytes", limit)};
      arrived.keep_alive = false;
      co_return false;
    }
    parser.body_limit(limit);
    co_await read_body(parser, arrived, error);
    if (!error && match.sink == nullptr) {
      if (auto refused = wire::to_body(parser, options, arrived.request)) {
        refusal = std::move(*refused);
        arrived.keep_alive = arrived.keep_alive && !refusal.close;
        co_return false;
      }
    }
  }
  if (!error) {
    co_return true;
  }
  arrived.keep_alive = false;
  const auto& http_category = boost::system::error_code(beast::http::error::bad_method).category();
  if (deadline_.fired()) {
    refusal = {408, "the request did not arrive in time"};
  } else if (error.category() == http_category && error != beast::http::error::end_of_stream &&
             error != beast::http::error::partial_message) {
    refusal = wire::refusal_of(error, options);
  } else {
    silent = true;
  }
  co_return false;
}

awaitable<Session::Next> Session::serve_one() {
  const InFlight in_flight(shared_);
  Arrived arrived;
  wire::Refusal refusal;
  bool silent = false;
  const bool complete = co_await read_message(arrived, refusal, silent);
  if (silent) {
    co_return Next::kClose;
  }
  if (!complete) {
    const Request& request = arrived.request;
    Response response = error_response(refusal.status, refusal.message);
    add_headers(response, arrived.admission.headers);
    const auto start = std::chrono::steady_clock::now();
    const bool sent = co_await send(response, arrived.keep_alive, arrived.http_1_0, false, request.id);
    if (shared_.observer) {
      shared_.observer(
          {request.method, "", request.id, arrived.admission.client, refusal.status, seconds_since(start)});
    }
    co_return !sent ? Next::kClose : arrived.keep_alive ? Next::kKeep : Next::kLinger;
  }
  co_return co_await handle(arrived);
}

awaitable<Session::Next> Session::handle(Arrived& arrived) {
  Request request = std::move(arrived.request);
  bool keep_alive = arrived.keep_alive;
  const bool http_1_0 = arrived.http_1_0;
  const auto start = std::chrono::steady_clock::now();
  const std::string method = request.method;
  const std::string id = request.id;
  const std::string accept = shared_.options.compress ? std::string(request.headers.get("Accept-Encoding")) : "";
  deadline_.disarm();
  asio::steady_timer timer(loop_.io);
  const auto exchange = std::make_shared<HttpExchange>(timer, static_cast<size_t>(shared_.options.max_stream_buffer));
  const Detach detach(*exchange);
  Dispatched dispatched;  // its lease lasts as long as this exchange
  if (shared_.draining.load()) {
    Response response = error_response(503, "the server is shutting down; send the request again to another one");
    response.headers.set("Retry-After", std::to_string(kRetryAfterDrainSeconds));
    exchange->answer(std::move(response));
  } else {
    dispatched =
        dispatch(arrived.match, std::move(arrived.admission), shared_.log, shared_.spans != nullptr, std::move(request), exchange);
  }
  const Admission& admission = dispatched.admission;

  int status = 504;
  bool sent = false;
  if (!co_await wait_for_answer(*exchange, timer)) {
    exchange->answer(error_response(504, "the request took too long"));
  }
  if (exchange->state() == HttpExchange::State::kAnswered) {
    Response response = exchange->take_response();
    status = response.status;
    add_headers(response, admission.headers);
    wire::compress(response, accept);
    keep_alive = keep_alive && !shared_.draining.load();
    sent = co_await send(response, keep_alive, http_1_0, method == "HEAD", id);
  } else {
    sent = co_await send_stream(*exchange, timer, http_1_0, id, admission.headers, status);
    keep_alive = keep_alive && !http_1_0 && !shared_.draining.load();
  }
  const Finished finished{method, dispatched.route, id, admission.client, status, seconds_since(start)};
  if (shared_.observer) {
    shared_.observer(finished);
  }
  end_trace(shared_.spans, dispatched, finished,
            {{"http.request.method", method}, {"http.response.status_code", int64_t{status}}});
  co_return !sent ? Next::kClose : keep_alive ? Next::kKeep : arrived.unread ? Next::kLinger : Next::kClose;
}

// False when nothing came within the handler's time.
awaitable<bool> Session::wait_for_answer(HttpExchange& exchange, asio::steady_timer& timer) {
  if (exchange.state() != HttpExchange::State::kPending) {
    co_return true;
  }
  exchange.expect_wake();
  const auto start = std::chrono::steady_clock::now();
  while (exchange.state() == HttpExchange::State::kPending) {
    const auto deadline = start + std::max(milliseconds(shared_.options.handler_timeout_ms), exchange.allowed());
    if (std::chrono::steady_clock::now() >= deadline) {
      co_return false;
    }
    error_code error;
    timer.expires_at(deadline);
    co_await timer.async_wait(redirect_error(use_awaitable, error));
  }
  co_return true;
}

awaitable<bool> Session::send(const Response& response, bool keep_alive, bool http_1_0, bool head_only,
                              const std::string& request_id) {
  const std::string head = wire::render_head(response, {keep_alive, false, http_1_0, request_id});
  const std::array<asio::const_buffer, 2> parts = {
      asio::buffer(head), asio::buffer(response.body.data(), head_only ? 0 : response.body.size())};
  error_code error;
  deadline_.arm(shared_.options.write_timeout_ms);
  co_await asio::async_write(connection_, parts, redirect_error(use_awaitable, error));
  deadline_.disarm();
  if (!error && response.file && !head_only) {
    co_return co_await send_file(*response.file);
  }
  co_return !error;
}

// False, which cuts the connection, when the file is not what was promised: the client sees a body that is too short.
awaitable<bool> Session::send_file(const FileBody& file) {
  struct Descriptor {
    explicit Descriptor(const std::filesystem::path& path) : fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~Descriptor() { ::close(fd); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int fd;
  };
  const Descriptor descriptor(file.path);
  std::string piece(std::min<uint64_t>(kFilePiece, file.size), '\0');
  for (uint64_t done = 0; done < file.size;) {
    const size_t wanted = std::min<uint64_t>(piece.size(), file.size - done);
    const ssize_t got = ::pread(descriptor.fd, piece.data(), wanted, static_cast<off_t>(file.offset + done));
    if (got <= 0) {
      shared_.log.error("a file could not be sent", {{"path", file.path.string()}});
      co_return false;
    }
    error_code error;
    deadline_.arm(shared_.options.write_timeout_ms);
    co_await asio::async_write(connection_, asio::buffer(piece.data(), static_cast<size_t>(got)),
                               redirect_error(use_awaitable, error));
    deadline_.disarm();
    if (error) {
      co_return false;
    }
    done += static_cast<uint64_t>(got);
  }
  co_return true;
}

awaitable<bool> Session::send_stream(HttpExchange& exchange, asio::steady_timer& timer, bool http_1_0,
                                     const std::string& request_id, const Headers& more, int& status) {
  exchange.expect_wake();
  Response head_response = exchange.take_response();
  add_headers(head_response, more);
  status = head_response.status;
  std::string out = wire::render_head(head_response, {!http_1_0, !http_1_0, false, request_id});
  const milliseconds quiet(shared_.options.handler_timeout_ms);
  auto deadline = std::chrono::steady_clock::now() + quiet;
  for (;;) {
    // The state is read before the bytes: when it says "ended", no bytes can follow those taken here.
    const HttpExchange::State state = exchange.state();
    const std::string bytes = exchange.take_bytes();
    if (state == HttpExchange::State::kCut) {
      co_return false;
    }
    if (!bytes.empty()) {
      out += http_1_0 ? bytes : fmt::format("{:x}\r\n{}\r\n", bytes.size(), bytes);
      deadline = std::chrono::steady_clock::now() + quiet;
    }
    if (state == HttpExchange::State::kEnded && !http_1_0) {
      out += "0\r\n\r\n";
    }
    error_code error;
    if (!out.empty()) {
      deadline_.arm(shared_.options.write_timeout_ms);
      co_await asio::async_write(connection_, asio::buffer(out), redirect_error(use_awaitable, error));
      deadline_.disarm();
      out.clear();
    }
    if (error || state == HttpExchange::State::kEnded) {
      co_return !error;
    }
    if (exchange.has_bytes() || exchange.state() != HttpExchange::State::kStreaming) {
      continue;
    }
    if (std::chrono::steady_clock::now() >= deadline) {
      co_return false;
    }
    timer.expires_at(deadline);
    co_await timer.async_wait(redirect_error(use_awaitable, error));
  }
}

// Reads and drops what the client still sends: closing with unread bytes would reset the connection, and the reset can
// overtake our answer (RFC 9112, 9.6).
awaitable<void> Session::linger() {
  error_code error;
  if (!connection_.is_tls()) {  // end_tls() says it there
    socket_.shutdown(asio::ip::tcp::socket::shutdown_send, error);
  }
  deadline_.arm(kLingerMs);
  buffer_.clear();
  size_t dropped = 0;
  while (!error && dropped < kLingerBytes) {
    const size_t got =
        co_await connection_.async_read_some(buffer_.prepare(kReadPiece), redirect_error(use_awaitable, error));
    dropped += got;
    buffer_.clear();
  }
}

}  // namespace slipway::net
