// tests/package.cc - libbrusio-sphinx from C++: a packet is made and opened, and
// what was made for another relay is refused. Built by tests/package.sh.
#include <sphinx/sphinx.h>

#include <cstdio>
#include <cstring>
#include <random>
#include <vector>

namespace
{

// Names that other libraries have too: the header must leave them free.
enum { ERR_OK, ERR_ARG, ERR_MAC, CHECK_RESULT, ERROR_MAP };

std::vector<uint8_t>
bytes(size_t len)
{
    std::random_device source;
    std::vector<uint8_t> out(len);
    for (uint8_t &b : out)
        b = static_cast<uint8_t>(source());
    return out;
}

int
failed(const char *what, int err)
{
    std::fprintf(stderr, "%s: %s\n", what, sphinx_error_text(err));
    return 1;
}

} // namespace

int
main()
{
    const char text[] = "from C++";
    sphinx_view view = sphinx_view();
    sphinx_geometry_default(&view.geometry);
    const sphinx_geometry &g = view.geometry;
    sphinx_worker *worker = nullptr;
    sphinx_key *key = nullptr, *other = nullptr;
    const std::vector<uint8_t> relay = bytes(SPHINX_SEED_LEN),
                               identity = bytes(SPHINX_ID_LEN),
                               seed = bytes(SPHINX_SEED_LEN);
    std::vector<uint8_t> public_key(g.public_len), body(g.body_len),
        packet(g.packet_len);
    std::memcpy(body.data(), text, sizeof text);

    int err = sphinx_worker_new(&worker);
    if (!err)
        err = sphinx_keypair(&g, public_key.data(), relay.data());
    if (!err)
        err = sphinx_key_new(&key, &g, relay.data(), identity.data(),
                             view.digest);
    if (!err)
        err = sphinx_key_new(&other, &g, seed.data(), identity.data(),
                             view.digest);
    if (err)
        return failed("keys", err);

    sphinx_hop hop = sphinx_hop();
    hop.public_key = public_key.data();
    hop.identity = identity.data();
    err = sphinx_create(worker, &view, &hop, 1, seed.data(), body.data(),
                        packet.data());
    if (err)
        return failed("create", err);

    sphinx_job job = sphinx_job();
    job.packet = packet.data();
    job.key = other;
    sphinx_unwrap(worker, &g, &job, 1, nullptr, nullptr);
    if (job.err != SPHINX_ERR_MAC)
        return failed("another relay's key", job.err);
    job.key = key;
    sphinx_unwrap(worker, &g, &job, 1, nullptr, nullptr);
    if (job.err || job.block.command != SPHINX_STORE)
        return failed("unwrap", job.err);
    const uint8_t *payload = packet.data() + g.header_len;
    if (!sphinx_payload_is_intact(payload))
        return failed("payload", SPHINX_ERR_TAG);
    std::printf("opened: %s\n",
                reinterpret_cast<const char *>(payload + SPHINX_TAG_LEN));

    sphinx_key_free(&other);
    sphinx_key_free(&key);
    sphinx_worker_free(&worker);
    return 0;
}
