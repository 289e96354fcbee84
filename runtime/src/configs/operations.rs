//! What accounts can do together, and for each other: batches, proxies, multisigs.

use crate::{constants::deposit, Balances, Runtime, RuntimeCall, RuntimeEvent, System};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{
	parameter_types,
	traits::{ConstU32, InstanceFilter},
};
use millrace_primitives::Balance;
use scale_info::TypeInfo;
use sp_runtime::traits::BlakeTwo256;

parameter_types! {
	/// Deposit of a multisig operation: its record without the approvals.
	pub const MultisigDepositBase: Balance = deposit(1, 88);
	/// The same, per signatory.
	pub const MultisigDepositFactor: Balance = deposit(0, 32);
	/// Deposit of an account's list of proxies.
	pub const ProxyDepositBase: Balance = deposit(1, 8);
	/// The same, per proxy.
	pub const ProxyDepositFactor: Balance = deposit(0, 33);
	/// Deposit of a list of announcements.
	pub const AnnouncementDepositBase: Balance = deposit(1, 8);
	/// The same, per announcement.
	pub const AnnouncementDepositFactor: Balance = deposit(0, 66);
}

impl pallet_utility::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = crate::OriginCaller;
	type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type DepositBase = MultisigDepositBase;
	type DepositFactor = MultisigDepositFactor;
	type MaxSignatories = ConstU32<100>;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
	type BlockNumberProvider = System;
}

/// What a proxy may do in somebody's name.
#[derive(
	Clone,
	Copy,
	Debug,
	Default,
	Eq,
	PartialEq,
	Ord,
	PartialOrd,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	#[codec(index = 0)]
	Any,
	/// Everything but moving balances and assets.
	#[codec(index = 1)]
	NonTransfer,
	/// Ordering leases, funding, using, closing and contesting them: for teams and agents that rent for an account, without a
	/// limit. An allowance has one.
	#[codec(index = 2)]
	Renting,
	/// Running a provider: registration, GPUs, bond, asks, bids, leaving and appeals. The bond returns to the account itself, never to the
	/// proxy.
	#[codec(index = 3)]
	Providing,
	/// Staking and session keys.
	#[codec(index = 4)]
	Staking,
	/// Asks and bids alone: for a machine that bids by a policy.
	#[codec(index = 5)]
	Bidding,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			Self::Any => true,
			Self::NonTransfer => !matches!(call, RuntimeCall::Balances(..) | RuntimeCall::Assets(..)),
			Self::Renting => matches!(
				call,
				RuntimeCall::Leases(
					pallet_leases::Call::place_order { .. }
						| pallet_leases::Call::submit_job { .. }
						| pallet_leases::Call::extend { .. }
						| pallet_leases::Call::close { .. }
						| pallet_leases::Call::poke { .. }
						| pallet_leases::Call::cancel_order { .. }
						| pallet_leases::Call::top_up { .. }
						| pallet_leases::Call::shrink { .. }
						| pallet_leases::Call::reject { .. }
				) | RuntimeCall::Settlement(
					pallet_settlement::Call::settle { .. }
						| pallet_settlement::Call::accept { .. }
						| pallet_settlement::Call::contest { .. }
				)
			),
			Self::Providing => matches!(
				call,
				RuntimeCall::Providers(..)
					| RuntimeCall::Leases(
						pallet_leases::Call::post_ask { .. }
							| pallet_leases::Call::withdraw_ask { .. }
							| pallet_leases::Call::poke { .. }
							| pallet_leases::Call::place_bid { .. }
							| pallet_leases::Call::withdraw_bid { .. }
							| pallet_leases::Call::reclaim { .. }
							| pallet_leases::Call::leave { .. }
					) | RuntimeCall::Settlement(pallet_settlement::Call::settle { .. })
					| RuntimeCall::Slashing(
						pallet_slashing::Call::appeal { .. } | pallet_slashing::Call::execute { .. }
					)
			),
			Self::Staking => matches!(call, RuntimeCall::Staking(..) | RuntimeCall::Session(..)),
			Self::Bidding => matches!(
				call,
				RuntimeCall::Leases(
					pallet_leases::Call::post_ask { .. }
						| pallet_leases::Call::withdraw_ask { .. }
						| pallet_leases::Call::place_bid { .. }
						| pallet_leases::Call::withdraw_bid { .. }
				)
			),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		match (self, other) {
			(mine, other) if mine == other => true,
			(Self::Any, _) => true,
			(_, Self::Any) => false,
			// None of the narrow types reaches balances or assets.
			(Self::NonTransfer, _) => true,
			(Self::Providing, Self::Bidding) => true,
			(Self::Renting | Self::Providing | Self::Staking | Self::Bidding, _) => false,
		}
	}
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = ProxyDepositBase;
	type ProxyDepositFactor = ProxyDepositFactor;
	type MaxProxies = ConstU32<32>;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
	type MaxPending = ConstU32<32>;
	type CallHasher = BlakeTwo256;
	type AnnouncementDepositBase = AnnouncementDepositBase;
	type AnnouncementDepositFactor = AnnouncementDepositFactor;
	type BlockNumberProvider = System;
}
