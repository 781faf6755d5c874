// Races on purpose, one kind per run: ThreadSanitizer must report each, under the options and
// suppressions of its stage (tests/CMakeLists.txt). An option that blinds it fails here.
#include <array>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

// Seen from outside, lest the compiler find that nobody reads them.
std::array<char, 4096> shared_bytes;
int shared_count = 0;

namespace {

/// Runs both at once, with nothing that orders one before the other.
void AtOnce(const std::function<void()>& one, const std::function<void()>& other) {
  std::thread a(one), b(other);
  a.join();
  b.join();
}

void CountWithoutLock() {
  const auto count = [] { ++shared_count; };
  AtOnce(count, count);
}

/// The write is inside memcpy, which is intercepted rather than instrumented.
void CopyWithoutLock() {
  const auto copy = [] {
    const std::string bytes(shared_bytes.size(), 'x');
    std::memcpy(shared_bytes.data(), bytes.data(), bytes.size());
  };
  AtOnce(copy, copy);
}

/// The other access is operator delete's.
void FreeWhileWritten() {
  auto bytes = std::make_unique<std::array<char, 64>>();
  char* const first = bytes->data();
  AtOnce([first] { *first = 'x'; }, [&bytes] { bytes.reset(); });
}

/// A lock each is no lock.
void LockTwoMutexes() {
  std::mutex one, other;
  const auto count = [](std::mutex* mutex) {
    const std::lock_guard<std::mutex> lock(*mutex);
    ++shared_count;
  };
  AtOnce([&] { count(&one); }, [&] { count(&other); });
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc == 2 ? argv[1] : "";
  if (kind == "count") CountWithoutLock();
  if (kind == "copy") CopyWithoutLock();
  if (kind == "free") FreeWhileWritten();
  if (kind == "locks") LockTwoMutexes();
  std::puts("not stopped");
}
