#include "net/grpc_tls.h"

#include <grpc/grpc_security.h>
#include <utility>

#include "base/file.h"

namespace slipway::net {

// The library asks before each handshake.
class GrpcCertificateFetcher {
 public:
  static grpc_ssl_certificate_config_reload_status fetch(void* user, grpc_ssl_server_certificate_config** config) {
    auto& certificate = *static_cast<GrpcCertificate*>(user);
    const std::lock_guard lock(certificate.mutex_);
    if (!certificate.changed_) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    const grpc_ssl_pem_key_cert_pair pair{certificate.key_.c_str(), certificate.cert_.c_str()};
    // The library insists on authorities for clients' certificates when they come this way; none is ever asked for one.
    *config = grpc_ssl_server_certificate_config_create(certificate.cert_.c_str(), &pair, 1);
    certificate.changed_ = false;
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }
};

namespace {

// What the C++ library has no function for: credentials whose certificate is asked for again.
class FetchedCredentials final : public grpc::ServerCredentials {
 public:
  explicit FetchedCredentials(GrpcCertificate& certificate)
      : credentials_(grpc_ssl_server_credentials_create_with_options(
            grpc_ssl_server_credentials_create_options_using_config_fetcher(
                GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE, &GrpcCertificateFetcher::fetch, &certificate))) {}
  ~FetchedCredentials() override { grpc_server_credentials_release(credentials_); }
  FetchedCredentials(const FetchedCredentials&) = delete;
  FetchedCredentials& operator=(const FetchedCredentials&) = delete;
  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  grpc_server_credentials* credentials_;  // owned
};

}  // namespace

GrpcCertificate::GrpcCertificate(std::string cert_file, std::string key_file)
    : cert_file_(std::move(cert_file)), key_file_(std::move(key_file)), check_(cert_file_, key_file_) {
  read();
}

void GrpcCertificate::read() {
  std::string cert = base::read_file(cert_file_);
  std::string key = base::read_file(key_file_);
  const std::lock_guard lock(mutex_);
  cert_ = std::move(cert);
  key_ = std::move(key);
  changed_ = true;
}

void GrpcCertificate::reload() {
  check_.reload();
  read();
}

std::shared_ptr<grpc::ServerCredentials> GrpcCertificate::credentials() {
  return std::make_shared<FetchedCredentials>(*this);
}

}  // namespace slipway::net
