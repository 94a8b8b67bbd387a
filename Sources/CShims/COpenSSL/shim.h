// libssl and libcrypto. Macros that the importer cannot see are re-exported below, as static inline functions and
// constants with the prefix rh_.
#pragma once
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/srtp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <sys/time.h>

// Options built with SSL_OP_BIT, which is a function-like macro.
static const uint64_t rh_SSL_OP_NO_QUERY_MTU = SSL_OP_NO_QUERY_MTU;
static const uint64_t rh_SSL_OP_NO_TICKET = SSL_OP_NO_TICKET;
static const uint64_t rh_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t rh_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t rh_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;

static inline long rh_SSL_CTX_set_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version) && SSL_CTX_set_max_proto_version(context, version);
}

static inline long rh_SSL_CTX_set_minimum_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_min_proto_version(context, version);
}

static inline long rh_SSL_CTX_set_maximum_version(SSL_CTX *context, int version) {
    return SSL_CTX_set_max_proto_version(context, version);
}

static inline long rh_SSL_CTX_set1_groups_list(SSL_CTX *context, const char *groups) {
    return SSL_CTX_set1_groups_list(context, groups);
}

static inline long rh_SSL_CTX_disable_session_cache(SSL_CTX *context) {
    return SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline long rh_SSL_CTX_set_mode(SSL_CTX *context, long mode) { return SSL_CTX_set_mode(context, mode); }

// SNI (RFC 6066 §3); a macro in OpenSSL.
static inline long rh_SSL_set_tlsext_host_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }

static inline long rh_SSL_set_mtu(SSL *ssl, long mtu) { return SSL_set_mtu(ssl, mtu); }

// 1 when a flight waits for its answer; then *microseconds is the time left.
static inline int rh_DTLSv1_get_timeout(SSL *ssl, int64_t *microseconds) {
    struct timeval left = {0, 0};
    if (DTLSv1_get_timeout(ssl, &left) != 1) return 0;
    *microseconds = (int64_t)left.tv_sec * 1000000 + (int64_t)left.tv_usec;
    return 1;
}

static inline long rh_DTLSv1_handle_timeout(SSL *ssl) { return DTLSv1_handle_timeout(ssl); }

// What EVP_PKEY_fromdata is to read.
static const int rh_EVP_PKEY_PUBLIC_KEY = EVP_PKEY_PUBLIC_KEY;

// EVP_EC_gen is variadic.
static inline EVP_PKEY *rh_EVP_EC_gen(const char *curve) { return EVP_EC_gen(curve); }

// BIO_set_retry_read and BIO_clear_retry_flags are macros over these.
static inline void rh_BIO_set_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void rh_BIO_clear_retry_flags(BIO *bio) { BIO_clear_retry_flags(bio); }
