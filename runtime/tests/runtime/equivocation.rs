//! Validators that sign two things for one moment: what they lose, when, and how the council prevents it. What the same account
//! has bonded as a provider is not touched.

use crate::{
	chain::{check_invariants, events, preset_json, state_of, Chain, Signer},
	market::{CHARLIE, DAVE},
};
use codec::{Decode, Encode};
use frame_support::{
	assert_noop, assert_ok,
	traits::{
		fungible::{Inspect, InspectHold},
		KeyOwnerProofSystem,
	},
};
use millrace_runtime::{
	configs::{consensus::SlashDeferDuration, money::TreasuryAccount},
	constants::MILL,
	Babe, Balance, Balances, Executive, Grandpa, Header, Historical, Runtime, RuntimeCall, RuntimeEvent,
	RuntimeHoldReason, RuntimeOrigin, Session, SessionKeys, Staking, UncheckedExtrinsic,
};
use pallet_staking::{ActiveEra, StakerStatus, UnappliedSlash, UnappliedSlashes};
use sp_consensus_babe::{
	digests::{PreDigest, SecondaryPlainPreDigest},
	Slot, BABE_ENGINE_ID,
};
use sp_core::{Pair, H256};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{
	key_types,
	traits::Header as _,
	transaction_validity::{InvalidTransaction, TransactionSource},
	Digest, DigestItem, DispatchError,
};
use sp_session::MembershipProof;
use sp_staking::{EraIndex, StakingInterface};

/// Six of them, so that one that equivocates loses a quarter: (3 x 1 / 6)².
const VALIDATORS: [(Sr25519Keyring, Ed25519Keyring); 6] = [
	(Sr25519Keyring::Alice, Ed25519Keyring::Alice),
	(Sr25519Keyring::Bob, Ed25519Keyring::Bob),
	(Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
	(Sr25519Keyring::Dave, Ed25519Keyring::Dave),
	(Sr25519Keyring::Eve, Ed25519Keyring::Eve),
	(Sr25519Keyring::Ferdie, Ed25519Keyring::Ferdie),
];
const STAKE: Balance = 10_000 * MILL;
const SLASH: Balance = STAKE / 4;
/// A tenth of a slash is for who reports it, half of it for the first report.
const REWARD: Balance = SLASH / 20;
/// Neither validator nor provider.
const REPORTER: Sr25519Keyring = Sr25519Keyring::BobStash;
const PROVIDER_BOND: RuntimeHoldReason = RuntimeHoldReason::Providers(pallet_providers::HoldReason::Bond);
const STAKED: RuntimeHoldReason = RuntimeHoldReason::Staking(pallet_staking::HoldReason::Staking);

/// The development chain with six validators, and with eras of five blocks, for slashes wait many eras.
fn on_staked_chain(test: impl FnOnce(&mut Chain)) {
	let mut config = preset_json("development");
	let keys = VALIDATORS.map(|(validator, finality)| {
		let (account, key) = (validator.to_account_id(), validator.public());
		let keys = SessionKeys {
			grandpa: finality.public().into(),
			babe: key.into(),
			authority_discovery: key.into(),
		};
		(account.clone(), account, keys)
	});
	let stakers =
		keys.clone().map(|(stash, controller, _)| (stash, controller, STAKE, StakerStatus::<()>::Validator));
	config["session"]["keys"] = serde_json::to_value(keys).unwrap();
	config["staking"]["stakers"] = serde_json::to_value(stakers).unwrap();
	config["staking"]["validatorCount"] = VALIDATORS.len().into();
	config["timing"]["timing"]["sessionSlots"] = 5.into();
	config["timing"]["timing"]["sessionsPerEra"] = 1.into();
	state_of(&config).execute_with(|| {
		let mut chain = Chain::at_head();
		test(&mut chain);
		chain.close_block();
		check_invariants();
	});
}

fn era() -> EraIndex {
	ActiveEra::<Runtime>::get().unwrap().index
}

/// The era at whose beginning a slash for an offence of this one is applied: the eras between them are the deferral.
fn applied_in(offence: EraIndex) -> EraIndex {
	offence + SlashDeferDuration::get() + 1
}

/// Goes on to the first block of an era, which stays open.
fn until(chain: &mut Chain, wanted: EraIndex) {
	while era() < wanted {
		chain.open_block();
	}
	assert_eq!(era(), wanted);
}

fn on_hold(reason: RuntimeHoldReason, who: &impl Signer) -> Balance {
	Balances::balance_on_hold(&reason, &who.account())
}

/// Who owns a session key now, as a node proves it.
fn owner_of(role: sp_core::crypto::KeyTypeId, key: impl AsRef<[u8]>) -> MembershipProof {
	Historical::prove((role, key)).unwrap()
}

/// Two sealed headers of a validator for the open block's slot.
fn two_blocks(chain: &Chain, offender: Sr25519Keyring) -> Box<sp_consensus_babe::EquivocationProof<Header>> {
	let slot = Slot::from(chain.now() / 1_000);
	let index = Session::validators().iter().position(|validator| *validator == offender.to_account_id());
	// The chain of the tests has all its blocks from the first one, and none from a validator that is disabled.
	assert_ne!(index, Some(0));
	let authority_index = index.unwrap() as u32;
	let header = |extrinsics: u8| {
		let pre = PreDigest::SecondaryPlain(SecondaryPlainPreDigest { authority_index, slot });
		let digest = Digest { logs: vec![DigestItem::PreRuntime(BABE_ENGINE_ID, pre.encode())] };
		let roots = (H256::repeat_byte(extrinsics), H256::zero());
		let mut header = Header::new(chain.number(), roots.0, roots.1, H256::zero(), digest);
		let seal = offender.pair().sign(header.hash().as_ref());
		header.digest_mut().push(DigestItem::Seal(BABE_ENGINE_ID, seal.encode()));
		header
	};
	Box::new(sp_consensus_babe::EquivocationProof {
		offender: offender.public().into(),
		slot,
		first_header: header(1),
		second_header: header(2),
	})
}

/// The report of two blocks, which anybody can sign. It takes half of what a block has for transactions: one fits.
fn report(chain: &Chain, offender: Sr25519Keyring) -> RuntimeCall {
	let call = pallet_babe::Call::report_equivocation {
		equivocation_proof: two_blocks(chain, offender),
		key_owner_proof: owner_of(key_types::BABE, offender.public()),
	};
	call.into()
}

/// Two prevotes of a validator in one round, and who it is, as a node reports them: without a signature.
fn report_two_votes(offender: Ed25519Keyring) -> pallet_grandpa::Call<Runtime> {
	let (set, round) = (Grandpa::current_set_id(), 7_u64);
	let prevote = |block: u8| {
		let vote = sp_consensus_grandpa::Prevote::<Header> {
			target_hash: H256::repeat_byte(block),
			target_number: 3,
		};
		let message = sp_consensus_grandpa::Message::<Header>::Prevote(vote.clone());
		let signature = offender.sign(&sp_consensus_grandpa::localized_payload(round, set, &message));
		(vote, signature)
	};
	// By way of the encoding: the type of the inner part has no name among our dependencies. Zero stands for prevotes.
	let proof = (set, 0_u8, round, offender.public(), prevote(1), prevote(2)).encode();
	pallet_grandpa::Call::report_equivocation_unsigned {
		equivocation_proof: Box::new(Decode::decode(&mut &proof[..]).unwrap()),
		key_owner_proof: owner_of(key_types::GRANDPA, offender.public()),
	}
}

/// Dave, a validator, becomes a provider too, and is reported for two blocks of one slot. Returns the era of the offence.
fn dave_equivocates(chain: &mut Chain) -> EraIndex {
	chain.open_block();
	DAVE.join(chain, 1);
	until(chain, 2);
	chain.open_block_with_room();
	let report = report(chain, DAVE.owner);
	chain.submit_ok(&REPORTER, report);
	era()
}

/// What Dave has at stake and in bonds, and whether it was slashed in the open block.
#[track_caller]
fn assert_dave_has(stake: Balance) {
	assert_eq!(on_hold(STAKED, &DAVE.owner), stake);
	assert_eq!(Staking::stake(&DAVE.account()).unwrap().total, stake);
	assert_eq!(on_hold(PROVIDER_BOND, &DAVE.owner), 100 * MILL);
}

#[test]
fn a_validator_that_makes_two_blocks_of_a_slot_will_lose_a_part_of_its_stake() {
	on_staked_chain(|chain| {
		let free = Balances::balance(&REPORTER.account());
		let offence = dave_equivocates(chain);
		let (validator, reporters) = (DAVE.account(), vec![REPORTER.account()]);
		let slash = UnappliedSlash { validator, own: SLASH, others: vec![], reporters, payout: REWARD };
		assert_eq!(UnappliedSlashes::<Runtime>::get(applied_in(offence)), [slash]);
		// Nothing is lost yet, and a report that is true costs nothing.
		assert_dave_has(STAKE);
		assert_eq!(Balances::balance(&REPORTER.account()), free);
		// It makes no blocks any more in this era.
		let index = Session::validators().iter().position(|who| *who == DAVE.account()).unwrap() as u32;
		assert_eq!(Session::disabled_validators(), [index]);
	});
}

#[test]
fn one_offence_counts_once_and_a_proof_has_to_be_one() {
	on_staked_chain(|chain| {
		until(chain, 2);
		chain.open_block_with_room();
		let (offence, call) = (era(), report(chain, DAVE.owner));
		chain.submit_ok(&REPORTER, call.clone());
		chain.open_block_with_room();
		let refused = |chain: &mut Chain, call| {
			let refused = chain.submit(&Sr25519Keyring::AliceStash, call).unwrap().unwrap_err();
			chain.open_block_with_room();
			refused
		};
		let duplicate = pallet_babe::Error::<Runtime>::DuplicateOffenceReport;
		assert_eq!(refused(chain, call), duplicate.into());
		// One header twice, and one that somebody else has sealed.
		let mut same = two_blocks(chain, CHARLIE.owner);
		same.second_header = same.first_header.clone();
		let mut forged = two_blocks(chain, CHARLIE.owner);
		forged.second_header.digest.logs[1] =
			two_blocks(chain, DAVE.owner).second_header.digest.logs[1].clone();
		for equivocation_proof in [same, forged] {
			let key_owner_proof = owner_of(key_types::BABE, CHARLIE.owner.public());
			let call = pallet_babe::Call::report_equivocation { equivocation_proof, key_owner_proof };
			let invalid = pallet_babe::Error::<Runtime>::InvalidEquivocationProof;
			assert_eq!(refused(chain, call.into()), invalid.into());
		}
		assert_eq!(UnappliedSlashes::<Runtime>::get(applied_in(offence)).len(), 1);
	});
}

#[test]
fn the_slash_is_applied_after_the_deferral_and_the_treasury_gets_it() {
	on_staked_chain(|chain| {
		let offence = dave_equivocates(chain);
		until(chain, applied_in(offence) - 1);
		for _ in 0..4 {
			chain.open_block();
		}
		assert_dave_has(STAKE);
		chain.close_block();
		let before = [TreasuryAccount::get(), REPORTER.account()].map(|who| Balances::balance(&who));
		until(chain, applied_in(offence));
		assert_dave_has(STAKE - SLASH);
		let slashed = pallet_staking::Event::Slashed { staker: DAVE.account(), amount: SLASH };
		assert!(events().contains(&slashed.into()));
		// What an era leaves of the issuance comes in the same block.
		let remainder = events().into_iter().find_map(|event| match event {
			RuntimeEvent::Staking(pallet_staking::Event::EraPaid { remainder, .. }) => Some(remainder),
			_ => None,
		});
		let after = [TreasuryAccount::get(), REPORTER.account()].map(|who| Balances::balance(&who));
		assert_eq!(after[0] - before[0], SLASH - REWARD + remainder.unwrap());
		assert_eq!(after[1] - before[1], REWARD);
		assert_eq!(UnappliedSlashes::<Runtime>::iter().count(), 0);
	});
}

#[test]
fn the_council_can_cancel_it_before_and_nobody_else() {
	on_staked_chain(|chain| {
		let offence = dave_equivocates(chain);
		let due = applied_in(offence);
		let half = pallet_collective::RawOrigin::Members(1, 3).into();
		for origin in [half, RuntimeOrigin::signed(DAVE.account()), RuntimeOrigin::none()] {
			assert_noop!(Staking::cancel_deferred_slash(origin, due, vec![0]), DispatchError::BadOrigin);
		}
		until(chain, due - 1);
		chain.council_decides(pallet_staking::Call::cancel_deferred_slash {
			era: due,
			slash_indices: vec![0],
		});
		assert_eq!(UnappliedSlashes::<Runtime>::get(due), []);
		until(chain, due + 1);
		assert_dave_has(STAKE);
	});
}

#[test]
fn two_votes_of_a_round_cost_the_same_and_the_author_that_reports_them_is_rewarded() {
	on_staked_chain(|chain| {
		until(chain, 2);
		chain.open_block_with_room();
		let call = report_two_votes(Ed25519Keyring::Charlie);
		// Only a node can put it into its own blocks: it has no signature, so that nobody would pay for a flood.
		assert_eq!(
			Grandpa::validate_unsigned(TransactionSource::External, &call),
			Err(InvalidTransaction::Call.into())
		);
		assert_ok!(Grandpa::validate_unsigned(TransactionSource::Local, &call));
		let report = UncheckedExtrinsic::new_bare(call.into());
		assert_eq!(Executive::apply_extrinsic(report.clone()), Ok(Ok(())));
		let reporters = vec![Session::validators()[0].clone()];
		let slash = UnappliedSlash {
			validator: CHARLIE.account(),
			own: SLASH,
			others: vec![],
			reporters,
			payout: REWARD,
		};
		assert_eq!(UnappliedSlashes::<Runtime>::get(applied_in(era())), [slash]);
		// Once more would be stale.
		assert_eq!(Executive::apply_extrinsic(report), Err(InvalidTransaction::Stale.into()));
	});
}

#[test]
fn a_report_of_a_past_session_is_taken_as_long_as_its_stake_is_bonded() {
	on_staked_chain(|chain| {
		until(chain, 2);
		chain.open_block();
		let (offence, late) = (era(), report(chain, DAVE.owner));
		until(chain, offence + 3);
		chain.open_block_with_room();
		chain.submit_ok(&REPORTER, late);
		let unapplied = UnappliedSlashes::<Runtime>::get(applied_in(offence));
		assert_eq!(unapplied.len(), 1);
		assert_eq!(unapplied[0].own, SLASH);
		// What was long ago disables nobody now.
		assert_eq!(Session::disabled_validators(), [0_u32; 0]);
		assert_eq!(Babe::authorities().len(), VALIDATORS.len());
	});
}
