#include "net/tls.h"

#include <ctime>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::net {

namespace ssl = boost::asio::ssl;
using base::Code;
using base::Error;
using boost::system::error_code;

namespace {

// What ALPN lists look like (RFC 7301, 3.1): each name after its length.
constexpr unsigned char kAlpn[] = {8, 'h', 't', 't', 'p', '/', '1', '.', '1'};

// Chooses http/1.1. A client that offers only others is served it all the same: RFC 7301 would end the handshake, but
// old clients that list "h2" alone fall back to what the server speaks.
int choose_protocol(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_length, const unsigned char* offered,
                    unsigned int length, void* /*argument*/) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, kAlpn, sizeof kAlpn, offered, length) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

void require_file(const std::string& path, const char* what) {
  if (!base::is_file(path)) {
    throw Error(Code::kNotFound, fmt::format("there is no {} '{}'", what, path));
  }
}

void check(const error_code& error, const std::string& path, const char* what) {
  if (error) {
    throw Error(Code::kInvalid, fmt::format("'{}' is not {}: {}", path, what, error.message()));
  }
}

std::shared_ptr<ssl::context> new_context(ssl::context::method method) {
  auto context = std::make_shared<ssl::context>(method);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  // An idle connection keeps no buffers of 16 KiB; a client may not ask for the handshake again and again.
  SSL_CTX_set_mode(native, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_options(native, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  return context;
}

}  // namespace

TlsCertificate::TlsCertificate(std::string cert_file, std::string key_file)
    : cert_file_(std::move(cert_file)), key_file_(std::move(key_file)), current_(load()) {}

void TlsCertificate::reload() {
  auto next = load();
  const std::lock_guard lock(mutex_);
  current_ = std::move(next);
}

std::shared_ptr<ssl::context> TlsCertificate::current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

std::shared_ptr<ssl::context> TlsCertificate::load() const {
  require_file(cert_file_, "certificate");
  require_file(key_file_, "private key");
  auto context = new_context(ssl::context::tls_server);
  error_code error;
  context->use_certificate_chain_file(cert_file_, error);
  check(error, cert_file_, "a certificate in PEM form");
  context->use_private_key_file(key_file_, ssl::context::pem, error);
  check(error, key_file_, fmt::format("the private key of '{}' in PEM form", cert_file_).c_str());
  SSL_CTX* native = context->native_handle();
  const X509* certificate = SSL_CTX_get0_certificate(native);
  if (X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0) {
    throw Error(Code::kInvalid, fmt::format("the certificate '{}' is no longer valid: its time is over", cert_file_));
  }
  SSL_CTX_set_alpn_select_cb(native, choose_protocol, nullptr);
  return context;
}

std::shared_ptr<ssl::context> tls_client_context(const std::string& ca_file) {
  auto context = new_context(ssl::context::tls_client);
  error_code error;
  if (ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    require_file(ca_file, "file of authorities");
    context->load_verify_file(ca_file, error);
    check(error, ca_file, "a list of certificates in PEM form");
  }
  context->set_verify_mode(ssl::verify_peer);
  SSL_CTX_set_alpn_protos(context->native_handle(), kAlpn, sizeof kAlpn);
  return context;
}

}  // namespace slipway::net
