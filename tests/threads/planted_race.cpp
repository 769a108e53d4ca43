// Has the race that the stage is there to find: a table entry published by a plain store.
// It must end with ThreadSanitizer's exit code; one that ends well proves a blind stage.
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <thread>

int main() {
    auto object = std::make_unique<std::uint64_t>(0);
    std::uint64_t* entry = nullptr;
    std::atomic<bool> stop{false};
    std::uint64_t sum = 0;
    std::thread reader{[&] {
        while (!stop.load(std::memory_order_relaxed))
            if (auto* seen = *static_cast<std::uint64_t* volatile*>(&entry)) sum += *seen;
    }};
    *object = 1;
    *static_cast<std::uint64_t* volatile*>(&entry) = object.get();  // no release
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    stop.store(true, std::memory_order_relaxed);
    reader.join();
    std::printf("%d\n", sum > 0);
}
