#include "sys/gzip_stream.h"

namespace windlass {
namespace {

constexpr std::size_t kOutputBytes = 256 << 10;
// In a row. Tools write one, as bgzip does at the end; a gigabyte of them is long work that gives nothing.
constexpr int kEmptyMembersMax = 10'000;
// Flags of a member header, RFC 1952, 2.3.1.
constexpr unsigned kHeaderCheckSum = 2, kExtra = 4, kName = 8, kComment = 16, kReserved = 0xe0;

tl::unexpected<Error> cut() { return fail(Kind::invalid, "gzip: cut short"); }

}  // namespace

GzipStream::GzipStream(ByteStream& source, std::unique_ptr<Inflater> inflater)
    : source_(source), inflater_(std::move(inflater)), output_(kOutputBytes, '\0') {}

Result<std::string_view> GzipStream::next() {
  while (at_ != At::end) {
    if (at_ == At::member_start) {
      auto begins = read_header();
      if (!begins) return tl::unexpected(begins.error());
      at_ = *begins ? At::body : At::end;
      continue;
    }
    auto more = fill();
    if (!more) return tl::unexpected(more.error());
    // Without input too: the inflater may hold bytes that did not fit into the last output.
    auto step = inflater_->step(input_, output_.data(), output_.size());
    if (!step) return tl::unexpected(step.error());
    input_.remove_prefix(step->used);
    if (step->made > 0) empty_members_ = 0;
    if (step->ended) {
      at_ = At::member_start;
      if (step->made == 0 && ++empty_members_ > kEmptyMembersMax)
        return fail(Kind::invalid, "gzip: too many empty members");
    }
    if (step->made > 0) return std::string_view(output_).substr(0, step->made);
    if (!step->ended && step->used == 0 && !*more) return cut();
  }
  return std::string_view();
}

Result<bool> GzipStream::read_header() {
  auto more = fill();
  if (!more) return more;
  if (!*more) return first_ ? Result<bool>(cut()) : Result<bool>(false);

  unsigned fixed[10];  // magic, method, flags, time, extra flags, system
  for (unsigned& value : fixed) {
    auto read = byte();
    if (!read) return tl::unexpected(read.error());
    value = *read;
    if (&value == &fixed[1] && (fixed[0] != 0x1f || fixed[1] != 0x8b))
      return fail(Kind::invalid, first_ ? "gzip: not a gzip stream" : "gzip: bytes after the end of the stream");
  }
  first_ = false;
  if (fixed[2] != 8) return fail(Kind::invalid, "gzip: unknown compression method");
  const unsigned flags = fixed[3];
  if (flags & kReserved) return fail(Kind::invalid, "gzip: reserved flags are set");

  Status skipped;
  if (flags & kExtra) {
    auto low = byte(), high = low ? byte() : low;
    if (!high) return tl::unexpected(high.error());
    skipped = skip(*low | *high << 8);
  }
  if (skipped && (flags & kName)) skipped = skip_text();
  if (skipped && (flags & kComment)) skipped = skip_text();
  if (skipped && (flags & kHeaderCheckSum)) skipped = skip(2);
  if (!skipped) return tl::unexpected(skipped.error());
  inflater_->reset();
  return true;
}

Status GzipStream::skip(std::size_t count) {
  for (; count > 0; --count)
    if (auto skipped = byte(); !skipped) return tl::unexpected(skipped.error());
  return {};
}

Status GzipStream::skip_text() {
  while (true) {
    auto read = byte();
    if (!read) return tl::unexpected(read.error());
    if (*read == 0) return {};
  }
}

Result<unsigned> GzipStream::byte() {
  auto more = fill();
  if (!more) return tl::unexpected(more.error());
  if (!*more) return cut();
  const unsigned value = static_cast<unsigned char>(input_.front());
  input_.remove_prefix(1);
  return value;
}

Result<bool> GzipStream::fill() {
  if (!input_.empty()) return true;
  auto piece = source_.next();
  if (!piece) return tl::unexpected(piece.error());
  input_ = *piece;
  return !input_.empty();
}

}  // namespace windlass
