// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <systemc>

#include "sim/base/error.h"

namespace nibble {

/// Is told of the beats of one channel.
class ChannelTap {
public:
    virtual ~ChannelTap() = default;
    virtual void pushed(std::uint64_t id) = 0;
    virtual void popped() = 0;
};

/// What can be seen of a channel from outside, whatever it carries.
class ChannelState {
public:
    virtual ~ChannelState() = default;
    /// Beats in it at the start of the cycle.
    [[nodiscard]] virtual std::size_t used() const = 0;
    [[nodiscard]] virtual std::size_t depth() const = 0;
    /// Null: nobody is told.
    void set_tap(ChannelTap* tap) { tap_ = tap; }

protected:
    ChannelTap* tap_ = nullptr;
};

/// Whose a beat is: the number of its operation, or the tag of its request where it knows no operation; otherwise 0.
template <class T>
[[nodiscard]] std::uint64_t id_of(const T& beat) {
    if constexpr (requires { beat->operation; }) {
        return beat->operation;
    } else if constexpr (requires { beat.operation; }) {
        return beat.operation;
    } else if constexpr (requires { beat.tag; }) {
        return beat.tag;
    } else {
        return 0;
    }
}

/// Producer's view of a channel.
template <class T>
class PushIf : virtual public sc_core::sc_interface {
public:
    [[nodiscard]] virtual bool ready() const = 0;
    virtual void push(T beat) = 0;
};

/// Consumer's view of a channel.
template <class T>
class PopIf : virtual public sc_core::sc_interface {
public:
    [[nodiscard]] virtual bool valid() const = 0;
    [[nodiscard]] virtual const T& front() const = 0;
    virtual T pop() = 0;
};

/// Registered ready/valid FIFO between two units on the same clock.
///
/// * ready() and valid() describe the state at the start of the cycle and do not change during it,
///   so results cannot depend on the order in which the kernel runs the units.
/// * A beat pushed in cycle t can first be popped in cycle t+1.
/// * ready() does not look through a pop of the same cycle: full throughput needs depth >= 2.
template <class T>
class Channel final : public sc_core::sc_prim_channel, public PushIf<T>, public PopIf<T>, public ChannelState {
public:
    Channel(const char* name, std::size_t depth) : sc_prim_channel(name), slots_(depth) {
        require(depth > 0, "depth must be at least 1");
    }

    [[nodiscard]] std::size_t used() const override { return used_; }
    [[nodiscard]] std::size_t depth() const override { return slots_.size(); }
    [[nodiscard]] bool ready() const override { return used_ < slots_.size(); }
    [[nodiscard]] bool valid() const override { return used_ > 0; }
    [[nodiscard]] const T& front() const override {
        require(valid(), "front() while not valid");
        return slots_[head_];
    }

    void push(T beat) override {
        require(ready(), "push() while not ready");
        require(!pushing_, "second push() in one cycle");
        if (tap_ != nullptr) {
            tap_->pushed(id_of(beat));
        }
        staged_ = std::move(beat);
        pushing_ = true;
        request_update();
    }

    T pop() override {
        require(valid(), "pop() while not valid");
        require(!popping_, "second pop() in one cycle");
        if (tap_ != nullptr) {
            tap_->popped();
        }
        popping_ = true;
        request_update();
        return std::move(slots_[head_]);
    }

private:
    void update() override {
        if (popping_) {
            head_ = (head_ + 1) % slots_.size();
            --used_;
            popping_ = false;
        }
        if (pushing_) {
            slots_[(head_ + used_) % slots_.size()] = std::move(staged_);
            ++used_;
            pushing_ = false;
        }
    }

    void require(bool ok, const char* what) const {
        if (!ok) {
            throw ModelError(std::string(name()) + ": " + what);
        }
    }

    std::vector<T> slots_;
    std::size_t head_ = 0;
    std::size_t used_ = 0;
    T staged_{};
    bool pushing_ = false;
    bool popping_ = false;
};

}  // namespace nibble
