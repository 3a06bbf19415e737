// Private to net: TLS of Asio's kind. TLS 1.2 and newer with OpenSSL's default ciphers, ALPN "http/1.1".
#pragma once

#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <mutex>
#include <string>

namespace slipway::net {

// The server's certificate, which may be replaced while connections are open. Any thread.
class TlsCertificate {
 public:
  // PEM files. Throws Error(kNotFound) for a file that is not there, kInvalid for one that is not PEM, a key that is
  // not the certificate's, or a certificate whose time is over.
  TlsCertificate(std::string cert_file, std::string key_file);
  void reload();  // throws likewise; the old one stays then
  std::shared_ptr<boost::asio::ssl::context> current() const;

 private:
  std::shared_ptr<boost::asio::ssl::context> load() const;
  const std::string cert_file_;
  const std::string key_file_;
  mutable std::mutex mutex_;  // guards current_
  std::shared_ptr<boost::asio::ssl::context> current_;
};

// Of a client that checks the server's certificate against `ca_file` (PEM), or the system's authorities when empty.
std::shared_ptr<boost::asio::ssl::context> tls_client_context(const std::string& ca_file);

}  // namespace slipway::net
